//! Mini Apps of MAX, and their launch data.

use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::person::Person;

/// The launch data of a Mini App. Returned by [`Person::opens_app`] and [`Person::presses_app`].
///
/// A Mini App is a web page that opens inside MAX. MAX signs the launch data with the token of the Mini App's bot, and
/// passes the data to the page. The page sends the data to its own server. The server checks the signature, for example
/// with `tamtam::mini_app::MiniApp`.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// let max = tamtam_sandbox::Sandbox::max().await;
/// let launch = max.user("Alice").opens_app("order7");
/// assert!(launch.init_data().contains("start_param=order7"));
/// let page = format!("https://shop.example/#{}", launch.url_fragment());
/// assert!(page.starts_with("https://shop.example/#WebAppData="));
/// # Ok(())
/// # }
/// ```
///
/// `Debug` hides the launch data, because servers accept the data as proof of the identity of the person who opened
/// the Mini App.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "pass the launch data to the server of the Mini App"]
pub struct AppLaunch {
    init_data: String,
}

impl AppLaunch {
    /// Returns the signed launch data. The Mini App reads this text from `WebApp.initData`.
    pub fn init_data(&self) -> &str {
        &self.init_data
    }

    /// Returns the fragment that MAX adds to the URL of the Mini App, without the `#`. The parameter `WebAppData` of
    /// the fragment is the launch data, percent-encoded. The fragment also contains the platform and the version of the
    /// MAX client. The platform and the version are not signed.
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
    /// Opens the Mini App of the bot with a link such as `https://max.ru/bot?startapp=payload`, and returns the launch
    /// data. A Mini App is a web page that opens inside MAX. The bot gets no update. MAX only.
    ///
    /// `payload`: the value of `startapp`. At most 512 characters. Each character must be an ASCII letter, a digit, `_`
    /// or `-`. If `payload` is empty, the launch data contains no `start_param`.
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
    /// Panics in these cases:
    ///
    /// - If `payload` is too long, or contains a character that is not allowed.
    /// - If the sandbox simulates TamTam.
    #[track_caller]
    pub fn opens_app(&self, payload: &str) -> AppLaunch {
        let payload = Some(payload).filter(|payload| !payload.is_empty());
        AppLaunch { init_data: self.must(|actor, state| actor.opens_app(state, payload)) }
    }

    /// Presses an `open_app` button of the newest message with buttons in this chat, and returns the launch data of the
    /// opened Mini App. The bot gets no update. MAX only.
    ///
    /// `label`: the text of the button.
    ///
    /// # Panics
    ///
    /// Panics in these cases:
    ///
    /// - If this person is not a member of this chat.
    /// - If there is no button with this label.
    /// - If the type of the button is not `open_app`.
    /// - If the button names a bot that does not exist.
    #[track_caller]
    pub fn presses_app(&self, label: &str) -> AppLaunch {
        AppLaunch { init_data: self.must(|actor, state| actor.presses_app(state, label)) }
    }
}
