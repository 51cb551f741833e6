//! The settings of a live run, from the environment.

use std::env;

use tamtam::{ChatId, Service};

use crate::SERVICES;

/// The account that a live run uses, and the permissions of the run.
#[derive(Clone)]
pub(crate) struct Live {
    pub(crate) service: Service,
    pub(crate) token: String,
    pub(crate) base_url: String,
    /// A group in which the bot is an administrator.
    pub(crate) chat: Option<ChatId>,
    /// A channel with comments, in which the bot is an administrator.
    pub(crate) channel: Option<ChatId>,
    /// Whether the suite may poll and subscribe webhooks.
    pub(crate) takes_updates: bool,
    /// The path of a video. Real servers reject arbitrary bytes.
    pub(crate) video: Option<String>,
}

impl Live {
    /// Reads the settings from the environment. Returns `None` unless `TAMTAM_LIVE` or `MAX_LIVE` is 1.
    pub(crate) fn from_env() -> Result<Option<Self>, String> {
        let live = SERVICES.into_iter().filter(|service| get(service, "LIVE").as_deref() == Some("1"));
        let service = match live.collect::<Vec<_>>().as_slice() {
            [] => return Ok(None),
            [service] => service.clone(),
            _ => return Err("TAMTAM_LIVE and MAX_LIVE are both 1: unset one of them".to_owned()),
        };
        let [flag, token] = ["LIVE", "TOKEN"].map(|what| variable(&service, what));
        Ok(Some(Self {
            token: get(&service, "TOKEN").ok_or_else(|| format!("{flag}=1 needs the token of the bot in {token}"))?,
            base_url: get(&service, "BASE_URL").unwrap_or_else(|| service.base_url().to_owned()),
            chat: get_chat(&service, "LIVE_CHAT")?,
            channel: get_chat(&service, "LIVE_CHANNEL")?,
            takes_updates: get(&service, "LIVE_UPDATES").as_deref() == Some("1"),
            video: get(&service, "LIVE_VIDEO"),
            service,
        }))
    }

    /// Returns the name of a variable of this run.
    pub(crate) fn variable(&self, what: &str) -> String {
        variable(&self.service, what)
    }
}

/// Returns the name of a variable of this service, such as `MAX_LIVE`.
pub(crate) fn variable(service: &Service, what: &str) -> String {
    format!("{}_{what}", service.name().to_ascii_uppercase())
}

/// Returns the value of a variable of this service. An empty variable counts as not set.
fn get(service: &Service, what: &str) -> Option<String> {
    env::var(variable(service, what)).ok().filter(|value| !value.is_empty())
}

fn get_chat(service: &Service, what: &str) -> Result<Option<ChatId>, String> {
    let id = get(service, what).map(|id| id.parse::<ChatId>()).transpose();
    id.map_err(|_| format!("{} is not the id of a chat, such as -70000000000000", variable(service, what)))
}
