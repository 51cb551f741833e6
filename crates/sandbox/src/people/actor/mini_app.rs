//! Acts of people on Mini Apps.

use super::{Actor, Done};
use crate::state::State;
use crate::state::ids::UserId;
use crate::state::message::{Action, AppButton};

/// The longest `startapp` payload, in characters.
const START_PARAM_CHARS: usize = 512;

impl Actor {
    /// Opens the Mini App of the bot by its link. Returns the `initData`.
    pub(crate) fn opens_app(self, state: &mut State, start_param: Option<&str>) -> Done<String> {
        self.check_max(state, "open a Mini App")?;
        let is_payload = |text: &str| {
            let is_allowed = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
            text.chars().all(is_allowed) && text.len() <= START_PARAM_CHARS
        };
        if start_param.is_some_and(|text| !is_payload(text)) {
            return Err(format!(
                "cannot follow the link: a payload has at most {START_PARAM_CHARS} letters, digits, _ and -"
            ));
        }
        let line = format!("{} opens the Mini App of {}", state.name(self.user_id), state.name(self.bot));
        state.record(self.chat_id(), line);
        Ok(state.init_data(self.user_id, self.bot, self.chat_id(), start_param))
    }

    /// Presses a button that opens a Mini App. Returns the `initData`.
    pub(crate) fn presses_app(self, state: &mut State, label: &str) -> Done<String> {
        self.check_member(state)?;
        let (seq, action) = self.find_button(state, label)?;
        let Action::OpenApp(button) = &action else {
            return Err(format!("cannot open a Mini App by [{label}]: the button has another type"));
        };
        let start_param = button.payload.clone().filter(|payload| !payload.is_empty());
        let bot = app_of(state, button);
        let bot =
            bot.ok_or_else(|| format!("cannot open a Mini App by [{label}]: there is no bot {}", button.web_app))?;
        state.press(self.chat_id(), seq, self.user_id, (label, &action));
        Ok(state.init_data(self.user_id, bot, self.chat_id(), start_param.as_deref()))
    }
}

/// Finds the bot whose Mini App a button opens, by id, username or link.
fn app_of(state: &State, button: &AppButton) -> Option<UserId> {
    let link = button.web_app.split(['?', '#']).next().unwrap_or_default();
    let username = link.trim_end_matches('/').rsplit('/').next().unwrap_or_default().trim_start_matches('@');
    let by_id = button.contact_id.filter(|id| state.is_bot(*id));
    let is_called = |id: &&UserId| {
        let user = state.users.get(id);
        user.and_then(|user| user.username.as_deref()).is_some_and(|name| name.eq_ignore_ascii_case(username))
    };
    by_id.or_else(|| state.bots.keys().find(is_called).copied())
}
