//! Mini Apps of MAX, and their launch data.

use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::person::Person;

/// The launch data of a Mini App, returned by [`Person::opens_app`] and [`Person::presses_app`].
///
/// `Debug` hides the launch data, because servers accept it as a proof of identity.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "pass the launch data to the server of the Mini App"]
pub struct AppLaunch {
    init_data: String,
}

impl AppLaunch {
    /// Returns the launch data, signed with the token of the bot. The page reads it as `WebApp.initData`.
    pub fn init_data(&self) -> &str {
        &self.init_data
    }

    /// Returns the fragment of the URL that MAX opens, without `#`. It has the launch data as `WebAppData`, and the
    /// platform and the version, which are not signed.
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
    /// Opens the Mini App of the bot by its link, such as `https://max.ru/bot?startapp=payload`. An empty `payload` is
    /// left out.
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
    /// If `payload` is not valid in a link (at most 512 ASCII letters, digits, `_` and `-`), or on TamTam.
    #[track_caller]
    pub fn opens_app(&self, payload: &str) -> AppLaunch {
        let payload = Some(payload).filter(|payload| !payload.is_empty());
        AppLaunch { init_data: self.must(|actor, state| actor.opens_app(state, payload)) }
    }

    /// Presses an `open_app` button of the newest message with a keyboard in this chat. `label`: the text of the
    /// button.
    ///
    /// # Panics
    ///
    /// If there is no button with this label, if it has another type, or if it names a bot that does not exist.
    #[track_caller]
    pub fn presses_app(&self, label: &str) -> AppLaunch {
        AppLaunch { init_data: self.must(|actor, state| actor.presses_app(state, label)) }
    }
}
