//! Mini Apps of MAX, as the web page of one sees its start.

use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::person::Person;

/// A Mini App that a person has opened; returned by [`Person::opens_app`] and [`Person::presses_app`].
///
/// `Debug` does not show the launch data, which a server accepts as a proof of who the person is.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "the launch data is what a Mini App begins with"]
pub struct AppLaunch {
    init_data: String,
}

impl AppLaunch {
    /// What the page reads as `WebApp.initData`, signed with the token of the bot.
    pub fn init_data(&self) -> &str {
        &self.init_data
    }

    /// The fragment of the URL that MAX opens, without `#`: the launch data as `WebAppData`, beside the platform and the
    /// version, which are not signed.
    pub fn url_fragment(&self) -> String {
        let data = utf8_percent_encode(&self.init_data, NON_ALPHANUMERIC);
        format!("WebAppData={data}&WebAppPlatform=web&WebAppVersion=26.1.1")
    }
}

impl fmt::Debug for AppLaunch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("AppLaunch").finish_non_exhaustive()
    }
}

impl Person {
    /// Opens the Mini App of the bot by its link, such as `https://max.ru/bot?startapp=payload`. An empty payload is not sent.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use tamtam::mini_app::MiniApp;
    ///
    /// let max = tamtam_sandbox::Sandbox::max().await;
    /// let alice = max.user("Alice");
    /// let launch = alice.opens_app("from_a_friend");
    ///
    /// let mini_app = MiniApp::new(max.token())?;
    /// let data = mini_app.check(launch.init_data())?;
    /// assert_eq!(data.user.unwrap().id, alice.user_id());
    /// assert_eq!(data.start_param.as_deref(), Some("from_a_friend"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If a link cannot have this payload (512 characters: ASCII letters, digits, `_` and `-`), and on TamTam.
    #[track_caller]
    pub fn opens_app(&self, payload: &str) -> AppLaunch {
        let payload = Some(payload).filter(|payload| !payload.is_empty());
        AppLaunch { init_data: self.must(|actor, state| actor.opens_app(state, payload)) }
    }

    /// Presses an `open_app` button, by its label, of the newest message with a keyboard in this chat.
    ///
    /// # Panics
    ///
    /// If there is no button with this label, or it is one of another type.
    #[track_caller]
    pub fn presses_app(&self, label: &str) -> AppLaunch {
        AppLaunch { init_data: self.must(|actor, state| actor.presses_app(state, label)) }
    }
}
