//! What can be said on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Parser, ValueEnum, value_parser};
use tamtam::Service;
use tamtam_sandbox::{RateLimit, Sandbox, SandboxBuilder};

/// TamTam or MAX on this machine: a server that takes and judges what bots send as the real one does.
///
/// It listens on 127.0.0.1 only. When it is ready it prints one line of JSON to stdout: service, base_url (the API),
/// upload_url (where files go), token (the bot's access_token), and with --seed demo the ids chat_id, user_id,
/// message_id, callback_id, callback_ids (all presses of a button: MAX has five), session_id (TamTam), channel_id and
/// post_id (MAX: a channel post that takes comments). Then it prints a line to stderr for every request, upload and delivery to a
/// webhook, with the time in UTC.
#[derive(Debug, Parser)]
#[command(name = "tamtam-sandbox", version, max_term_width = 100, after_long_help = AFTER)]
pub(crate) struct Options {
    /// The messenger to play [default: tamtam, or that of the state file]
    #[arg(long, value_enum, value_name = "NAME")]
    service: Option<ServiceName>,

    /// Limits of the server [default: those of the service: max for MAX, none for TamTam]
    #[arg(long, value_enum, value_name = "WHICH")]
    rate_limit: Option<RateLimits>,

    /// Port of the API; 0 is any free one
    #[arg(long, value_name = "PORT", default_value_t = 8090)]
    pub(crate) port: u16,

    /// Port of the host that takes files; 0 is any free one [default: the one after --port]
    #[arg(long, value_name = "PORT")]
    pub(crate) upload_port: Option<u16>,

    /// What is there at the beginning. A demo that a state file has already is kept
    #[arg(long, value_enum, value_name = "WHAT", default_value_t)]
    pub(crate) seed: Seed,

    /// The bot's token, instead of one that is made of its username or kept in the state file
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    token: Option<String>,

    /// The bot's visible name; one in the state file stays
    #[arg(long, value_name = "NAME", default_value = "Sandbox Bot", value_parser = NonEmptyStringValueParser::new())]
    bot_name: String,

    /// The bot's username, without the @; one in the state file stays
    #[arg(long, value_name = "NAME", default_value = "sandbox_bot", value_parser = NonEmptyStringValueParser::new())]
    bot_username: String,

    /// Keeps everything in this file, and goes on with what is in it [default: everything is forgotten at the end]
    ///
    /// The file is begun if it is not there, and replaced as a whole after changes and at the end. A kill loses the last
    /// moment: half a second, and as long as writing takes. Two programs must not have the same file at a time.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// Makes ids, tokens and times depend on this number and on what happens alone [default: times are real]
    #[arg(long, value_name = "NUMBER")]
    deterministic: Option<u64>,

    /// How long a webhook is left alone with an update that it did not take, in milliseconds; on MAX each further pause is
    /// 2.5 times as long [default: 200, MAX: 60000]
    #[arg(long, value_name = "MS", value_parser = value_parser!(u64).range(1..))]
    redelivery: Option<u64>,

    /// How long a webhook may take to answer, in milliseconds [default: 5000, MAX: 30000]
    #[arg(long, value_name = "MS", value_parser = value_parser!(u64).range(1..))]
    delivery_timeout: Option<u64>,

    /// Prints no lines for requests, uploads and deliveries
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// What is there at the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Seed {
    /// The bot alone
    #[default]
    Empty,
    /// A group of Alice, Bob (user_id) and the bot as an administrator, a message of the bot's, a button pressed by Bob
    /// that waits for an answer, and a constructor that he has open (TamTam) or a channel with a post (MAX)
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
    /// 30 requests a second, 2 a second of each kind in each chat, 2 polls a second of 100 updates and 30 s at most; updates
    /// are kept for 24 h
    Max,
    /// None
    None,
}

const AFTER: &str = "\
Example:
  $ tamtam-sandbox --seed demo --state sandbox.json
  {\"service\":\"TamTam\",\"base_url\":\"http://127.0.0.1:8090\",\"upload_url\":\"http://127.0.0.1:8091\",\"token\":\"...\",\"chat_id\":-70...}
  $ curl \"http://127.0.0.1:8090/messages?access_token=$TOKEN&chat_id=$CHAT\" \\
      -H 'Content-Type: application/json' -d '{\"text\":\"Hello\"}'

Control endpoints, by which a test acts as people and makes things go wrong (JSON, no token):
  $ curl http://127.0.0.1:8090/sandbox/users \\
      -H 'Content-Type: application/json' -d '{\"name\":\"Carol\"}'
  A body that is sent as another type is refused (415). Requests of web pages are refused, by their
  Host and Origin (403).

  GET    /sandbox                     where everything is, and the bots
  POST   /sandbox/users               {\"name\":\"Carol\"} -> user_id, chat_id
  POST   /sandbox/bots                {\"name\":\"Helper\",\"username\":\"helper_bot\"} -> user_id, token
  POST   /sandbox/chats               {\"title\":\"Team\",\"members\":[1,2]} -> chat_id
  POST   /sandbox/users/USER_ID/says  {\"text\":\"hi\"}; \"chat_id\" names another chat than the dialog
         .../reads                    waits for the next message a bot shows; \"timeout_ms\"
         .../presses                  {\"button\":\"Yes\"} -> callback_id
         .../starts, stops, replies, forwards, edits, deletes, shares_contact, sends_location, joins,
         leaves, adds, removes, blocks, appoints, renames_chat, opens_constructor, types,
         presses_in_constructor, posts, sees, reads_notification, reads_constructor, comments,
         sees_comments, clears, removes_dialog, mutes, unmutes, opens_app, presses_app, sends_voice
  POST   /sandbox/faults              {\"operation\":\"sendMessage\",\"fault\":\"reset\",\"times\":2}
  DELETE /sandbox/faults              forgets them
  POST   /sandbox/uploads/faults      {\"fault\":\"reset_at\",\"bytes\":1000}
  POST   /sandbox/uploads/not_ready   {\"times\":2}
  POST   /sandbox/updates             {\"update\":{\"update_type\":\"new\",\"timestamp\":1}}
  POST   /sandbox/updates/repeat      the latest update once more
  POST   /sandbox/deliveries/lose     {\"times\":1}
  POST   /sandbox/delivers            waits until the webhooks have taken everything
  POST   /sandbox/settles             waits until the bots are idle
  GET    /sandbox/rate_limited        how many requests were over a limit
  POST   /sandbox/clock               {\"advance_ms\":3600000}
  GET    /sandbox/transcript          everything that happened, a line each
  All of them: https://docs.rs/tamtam-sandbox/latest/tamtam_sandbox/control

Exit status:
  0  it was ended by Ctrl-C or SIGTERM, and the state is written
  1  it could not start (a port is taken, the state file is none), or the state could not be written at the end
  2  the command line is wrong";

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
