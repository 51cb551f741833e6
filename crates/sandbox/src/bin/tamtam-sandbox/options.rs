//! The options of the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Parser, ValueEnum, value_parser};
use tamtam::Service;
use tamtam_sandbox::{RateLimit, Sandbox, SandboxBuilder};

/// Simulates TamTam or MAX on this machine: a server that checks the requests of bots as strictly as the real one.
///
/// It listens on 127.0.0.1 only. When it is ready, it prints one line of JSON to stdout: service, base_url (the API),
/// upload_url (the upload host) and token (the bot's token). With --seed demo, the line also has the ids chat_id,
/// user_id, message_id, callback_id, callback_ids (all presses of a button: five on MAX), session_id (TamTam only),
/// channel_id and post_id (MAX only: a channel post that takes comments).
///
/// Then it prints a line to stderr for every request, upload and delivery to a webhook, with the time in UTC.
#[derive(Debug, Parser)]
#[command(name = "tamtam-sandbox", version, max_term_width = 100, after_long_help = AFTER)]
pub(crate) struct Options {
    /// The messenger to simulate [default: the one in the state file, or tamtam]
    #[arg(long, value_enum, value_name = "NAME")]
    service: Option<ServiceName>,

    /// Limits of the server [default: max on MAX, none on TamTam]
    #[arg(long, value_enum, value_name = "WHICH")]
    rate_limit: Option<RateLimits>,

    /// Port of the API; 0 is any free port
    #[arg(long, value_name = "PORT", default_value_t = 8090)]
    pub(crate) port: u16,

    /// Port of the upload host; 0 is any free port [default: the port after --port]
    #[arg(long, value_name = "PORT")]
    pub(crate) upload_port: Option<u16>,

    /// The initial content; a demo in the state file is reused
    #[arg(long, value_enum, value_name = "WHAT", default_value_t)]
    pub(crate) seed: Seed,

    /// The bot's token [default: the one in the state file, or one made from the username]
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    token: Option<String>,

    /// The bot's visible name; ignored if the state file exists
    #[arg(long, value_name = "NAME", default_value = "Sandbox Bot", value_parser = NonEmptyStringValueParser::new())]
    bot_name: String,

    /// The bot's username, without the @; ignored if the state file exists
    #[arg(long, value_name = "NAME", default_value = "sandbox_bot", value_parser = NonEmptyStringValueParser::new())]
    bot_username: String,

    /// Keeps the state in this file, and continues from it [default: the state is lost at the end]
    ///
    /// The file is created if it does not exist. It is replaced as a whole after changes and at the end. A kill loses
    /// the changes since the start of the last complete write. The pause between two writes is at most 0.5 s if there
    /// are changes. A second program with the same file does not start.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// Makes runs reproducible: ids, tokens and times depend only on this number and on what happens [default: real
    /// times]
    #[arg(long, value_name = "NUMBER")]
    deterministic: Option<u64>,

    /// Pause before an update that a webhook did not take is delivered again, in milliseconds; on MAX, each further
    /// pause is 2.5 times as long [default: 200, MAX: 60000]
    #[arg(long, value_name = "MS", value_parser = value_parser!(u64).range(1..))]
    redelivery: Option<u64>,

    /// Time for a webhook to answer, in milliseconds [default: 5000, MAX: 30000]
    #[arg(long, value_name = "MS", value_parser = value_parser!(u64).range(1..))]
    delivery_timeout: Option<u64>,

    /// Prints no lines for requests, uploads and deliveries
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// The initial content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Seed {
    /// Only the bot
    #[default]
    Empty,
    /// A group of Alice, Bob (user_id) and the bot as an administrator; a message of the bot with buttons; unanswered
    /// presses of a button by Bob; a constructor that Bob has opened (TamTam) or a channel with a post (MAX)
    Demo,
}

/// A messenger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ServiceName {
    #[value(name = "tamtam")]
    TamTam,
    Max,
}

/// Limits of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RateLimits {
    /// The limits of MAX. Per second: 30 requests; in each chat 2 messages, 2 edits, 2 deletions and 2 answers; 2
    /// polls. A poll lasts at most 30 s and returns at most 100 updates. Updates are kept for 24 h
    Max,
    /// No limits
    None,
}

const AFTER: &str = "\
Example:
  $ tamtam-sandbox --seed demo --state sandbox.json
  {\"service\":\"TamTam\",\"base_url\":\"http://127.0.0.1:8090\",...,\"token\":\"...\",\"chat_id\":-70...}
  $ curl \"http://127.0.0.1:8090/messages?access_token=$TOKEN&chat_id=$CHAT\" \\
      -H 'Content-Type: application/json' -d '{\"text\":\"Hello\"}'

Control endpoints, with which a test acts as people and injects faults (JSON, no token):
  $ curl http://127.0.0.1:8090/sandbox/users \\
      -H 'Content-Type: application/json' -d '{\"name\":\"Carol\"}'
  A body with another Content-Type is refused (415). Requests of web pages are refused by their
  Host and Origin (403).

  GET    /sandbox                     the service, the URLs, and the bots with their tokens
  POST   /sandbox/users               {\"name\":\"Carol\"} -> user_id, chat_id
  POST   /sandbox/bots                {\"name\":\"Helper\",\"username\":\"helper_bot\"} -> user_id, token
  POST   /sandbox/chats               {\"title\":\"Team\",\"members\":[1,2]} -> chat_id
  POST   /sandbox/users/USER_ID/says  {\"text\":\"hi\"}; \"chat_id\" names another chat than the dialog
         .../reads                    waits for the next message or edit of a bot; \"timeout_ms\"
         .../presses                  {\"button\":\"Yes\"} -> callback_id
         .../starts, stops, replies, forwards, edits, deletes, shares_contact, sends_location, joins,
         leaves, adds, removes, blocks, appoints, renames_chat, opens_constructor, types,
         presses_in_constructor, posts, sees, reads_notification, reads_constructor, comments,
         sees_comments, clears, removes_dialog, mutes, unmutes, opens_app, presses_app, sends_voice
  POST   /sandbox/faults              {\"operation\":\"sendMessage\",\"fault\":\"reset\",\"times\":2}
  DELETE /sandbox/faults              removes the faults
  POST   /sandbox/uploads/faults      {\"fault\":\"reset_at\",\"bytes\":1000}
  POST   /sandbox/uploads/not_ready   {\"times\":2}
  POST   /sandbox/updates             {\"update\":{\"update_type\":\"new\",\"timestamp\":1}}
  POST   /sandbox/updates/repeat      repeats the latest update
  POST   /sandbox/deliveries/lose     {\"times\":1}
  POST   /sandbox/delivers            waits until the webhooks have taken all updates
  POST   /sandbox/settles             waits until the bots are idle
  GET    /sandbox/rate_limited        how many requests were over a limit
  POST   /sandbox/clock               {\"advance_ms\":3600000}
  GET    /sandbox/transcript          the transcript, one line per event
  All endpoints: the documentation of `tamtam_sandbox::control`

Exit status:
  0  ended by Ctrl-C or SIGTERM; the state is written
  1  could not start (such as a port in use, or an invalid state file), or could not write the state at the end
  2  the command line is not valid";

impl Options {
    pub(crate) fn builder(&self) -> SandboxBuilder {
        let mut builder = Sandbox::builder()
            .control_endpoints()
            .port(self.port)
            .upload_port(self.upload_port())
            .bot_name(&self.bot_name)
            .bot_username(&self.bot_username);
        match self.service {
            Some(ServiceName::TamTam) => builder = builder.service(Service::TamTam),
            Some(ServiceName::Max) => builder = builder.service(Service::Max),
            None => {}
        }
        match self.rate_limit {
            Some(RateLimits::Max) => builder = builder.rate_limit(RateLimit::max()),
            Some(RateLimits::None) => builder = builder.rate_limit(RateLimit::none()),
            None => {}
        }
        if let Some(pause) = self.redelivery {
            builder = builder.redelivery(Duration::from_millis(pause));
        }
        if let Some(timeout) = self.delivery_timeout {
            builder = builder.delivery_timeout(Duration::from_millis(timeout));
        }
        if let Some(token) = &self.token {
            builder = builder.token(token);
        }
        if let Some(seed) = self.deterministic {
            builder = builder.seed(seed);
        }
        if let Some(state) = &self.state {
            builder = builder.state_file(state);
        }
        builder
    }

    fn upload_port(&self) -> u16 {
        let next = if self.port == 0 { 0 } else { self.port.wrapping_add(1) };
        self.upload_port.unwrap_or(next)
    }
}
