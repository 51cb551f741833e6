//! Finds the operation of a request by method and path.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::operations::call::Call;
use crate::operations::{
    admins, answers, chats, comments, construct, me, members, messages, pins, subscriptions, uploads, videos,
};
use crate::protocol::error::ApiError;
use crate::protocol::service::Service;
use crate::protocol::validation::takes_extra_slashes;
use crate::state::State;

/// The function or the poll that answers an operation.
#[derive(Clone, Copy)]
pub(crate) enum Handler {
    /// Answers at once, from the state.
    Now(fn(&mut State, &Call) -> Result<Value, ApiError>),
    /// Answers when there is an update, or after the time of the poll.
    Poll,
}

/// An operation of an API's document.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) template: &'static str,
    pub(crate) operation: &'static str,
    /// The only service with this operation. `None`: both services.
    only: Option<Service>,
    pub(crate) handler: Handler,
    pub(crate) limit: LimitedBy,
}

/// The limit that a request counts against, besides the limit of all requests of the bot.
#[derive(Clone, Copy)]
pub(crate) enum LimitedBy {
    Bot,
    Polls,
    /// The chat of `chat_id` or `user_id`.
    Recipient,
    /// The chat of `message_id`.
    Message,
    /// The chat of `callback_id`.
    Callback,
}

impl Route {
    const fn limited(self, limit: LimitedBy) -> Self {
        Self { limit, ..self }
    }

    fn is_of(&self, service: Service) -> bool {
        self.only.is_none_or(|only| only == service)
    }
}

/// All operations of TamTam's API 0.5.6 and MAX's API 0.0.33. If two templates fit a path, the first one is used.
#[rustfmt::skip]
static ROUTES: &[Route] = &[
    both("GET",    "/me",                                        "getMyInfo",        Handler::Now(me::get_my_info)),
    tamtam("PATCH", "/me",                                       "editMyInfo",       Handler::Now(me::edit_my_info)),
    max("PATCH",   "/me/commands",                               "editMyCommands",   Handler::Now(me::edit_my_commands)),
    tamtam("GET",  "/chats",                                     "getChats",         Handler::Now(chats::get_chats)),
    tamtam("GET",  "/chats/{chatLink}",                          "getChatByLink",    Handler::Now(chats::get_chat_by_link)),
    both("GET",    "/chats/{chatId}",                            "getChat",          Handler::Now(chats::get_chat)),
    both("PATCH",  "/chats/{chatId}",                            "editChat",         Handler::Now(chats::edit_chat)),
    both("POST",   "/chats/{chatId}/actions",                    "sendAction",       Handler::Now(chats::send_action)),
    both("GET",    "/chats/{chatId}/pin",                        "getPinnedMessage", Handler::Now(pins::get_pinned_message)),
    both("PUT",    "/chats/{chatId}/pin",                        "pinMessage",       Handler::Now(pins::pin_message)),
    both("DELETE", "/chats/{chatId}/pin",                        "unpinMessage",     Handler::Now(pins::unpin_message)),
    both("GET",    "/chats/{chatId}/members/me",                 "getMembership",    Handler::Now(members::get_membership)),
    both("DELETE", "/chats/{chatId}/members/me",                 "leaveChat",        Handler::Now(members::leave_chat)),
    both("GET",    "/chats/{chatId}/members/admins",             "getAdmins",        Handler::Now(admins::get_admins)),
    max("POST",    "/chats/{chatId}/members/admins",             "postAdmins",       Handler::Now(admins::post_admins)),
    max("DELETE",  "/chats/{chatId}/members/admins/{userId}",    "deleteAdmins",     Handler::Now(admins::delete_admins)),
    both("GET",    "/chats/{chatId}/members",                    "getMembers",       Handler::Now(members::get_members)),
    both("POST",   "/chats/{chatId}/members",                    "addMembers",       Handler::Now(members::add_members)),
    both("DELETE", "/chats/{chatId}/members",                    "removeMember",     Handler::Now(members::remove_member)),
    both("GET",    "/subscriptions",                             "getSubscriptions", Handler::Now(subscriptions::get_subscriptions)),
    both("POST",   "/subscriptions",                             "subscribe",        Handler::Now(subscriptions::subscribe)),
    both("DELETE", "/subscriptions",                             "unsubscribe",      Handler::Now(subscriptions::unsubscribe)),
    both("POST",   "/uploads",                                   "getUploadUrl",     Handler::Now(uploads::get_upload_url)),
    both("GET",    "/messages",                                  "getMessages",      Handler::Now(messages::get_messages)),
    both("POST",   "/messages",                                  "sendMessage",      Handler::Now(messages::send_message)).limited(LimitedBy::Recipient),
    both("PUT",    "/messages",                                  "editMessage",      Handler::Now(messages::edit_message)).limited(LimitedBy::Message),
    both("DELETE", "/messages",                                  "deleteMessage",    Handler::Now(messages::delete_message)).limited(LimitedBy::Message),
    both("GET",    "/messages/{messageId}",                      "getMessageById",   Handler::Now(messages::get_message_by_id)),
    max("GET",     "/messages/{messageId}/comments",             "getComments",      Handler::Now(comments::get_comments)),
    max("POST",    "/messages/{messageId}/comments",             "sendComment",      Handler::Now(comments::send_comment)),
    max("PUT",     "/messages/{messageId}/comments",             "editComment",      Handler::Now(comments::edit_comment)),
    max("DELETE",  "/messages/{messageId}/comments",             "deleteComment",    Handler::Now(comments::delete_comment)),
    max("GET",     "/messages/{messageId}/comments/{commentId}", "getCommentById",   Handler::Now(comments::get_comment_by_id)),
    max("GET",     "/videos/{videoToken}",                       "getVideoAttachmentDetails", Handler::Now(videos::get_video_details)),
    both("POST",   "/answers",                                   "answerOnCallback", Handler::Now(answers::answer_on_callback)).limited(LimitedBy::Callback),
    tamtam("POST", "/answers/constructor",                       "construct",        Handler::Now(construct::construct)),
    both("GET",    "/updates",                                   "getUpdates",       Handler::Poll).limited(LimitedBy::Polls),
];

/// Operations that MAX had and removed, and that TamTam does not have. They are refused as unknown paths, not as wrong
/// methods.
const REMOVED: [(&str, &str); 2] = [("DELETE", "/chats/{chatId}"), ("POST", "/me/commands")];

/// Returns the operations of a service.
pub(crate) fn routes(service: Service) -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().filter(move |route| route.is_of(service))
}

/// The parameter for the public link of a chat. All other values fit `{chatId}`.
const LINK: &str = "chatLink";

/// Decoded parameters of a path.
pub(crate) type PathParameters = Vec<(&'static str, String)>;

pub(crate) enum Found {
    Operation(&'static Route, PathParameters),
    /// The path exists, but only with these methods.
    OtherMethods(Vec<&'static str>),
    Nothing,
}

pub(crate) fn find(service: Service, method: &str, path: &str) -> Found {
    let path = if takes_extra_slashes(service) { without_extra_slashes(path) } else { Cow::Borrowed(path) };
    let path = &*path;
    let mut others = Vec::new();
    for route in ROUTES {
        let Some(parameters) = fit(route.template, path) else { continue };
        match (route.method == method, route.is_of(service)) {
            (true, true) => return Found::Operation(route, parameters),
            (true, false) => return Found::Nothing,
            (false, true) => others.push(route.method),
            (false, false) => {}
        }
    }
    let is_removed = |(removed, template): &(&str, &'static str)| *removed == method && fit(template, path).is_some();
    if others.is_empty() || service == Service::Max && REMOVED.iter().any(is_removed) {
        Found::Nothing
    } else {
        Found::OtherMethods(others)
    }
}

fn without_extra_slashes(path: &str) -> Cow<'_, str> {
    let is_plain = !path.contains("//") && (path == "/" || !path.ends_with('/'));
    if is_plain {
        return Cow::Borrowed(path);
    }
    let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
    Cow::Owned(format!("/{}", parts.join("/")))
}

/// Returns the parameters of a path, or `None` if the path does not fit the template.
fn fit(template: &'static str, path: &str) -> Option<PathParameters> {
    let (mut pattern, mut given) = (template.split('/'), path.split('/'));
    let mut parameters = Vec::new();
    loop {
        match (pattern.next(), given.next()) {
            (None, None) => return Some(parameters),
            (Some(pattern), Some(given)) => {
                let name = pattern.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
                if let Some(name) = name {
                    let value = percent_decode_str(given).decode_utf8_lossy().into_owned();
                    if value.is_empty() || name == LINK && !is_link(&value) {
                        return None;
                    }
                    parameters.push((name, value));
                } else if pattern != given {
                    return None;
                }
            }
            _ => return None,
        }
    }
}

fn is_link(text: &str) -> bool {
    text.trim_start_matches('@').starts_with(|first: char| first.is_ascii_alphabetic())
}

const fn both(method: &'static str, template: &'static str, operation: &'static str, handler: Handler) -> Route {
    Route { method, template, operation, only: None, handler, limit: LimitedBy::Bot }
}

const fn tamtam(method: &'static str, template: &'static str, operation: &'static str, handler: Handler) -> Route {
    Route { only: Some(Service::TamTam), ..both(method, template, operation, handler) }
}

const fn max(method: &'static str, template: &'static str, operation: &'static str, handler: Handler) -> Route {
    Route { only: Some(Service::Max), ..both(method, template, operation, handler) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::protocol::validation;

    fn operation(method: &str, path: &str) -> Option<(&'static str, PathParameters)> {
        match find(Service::TamTam, method, path) {
            Found::Operation(route, parameters) => Some((route.operation, parameters)),
            _ => None,
        }
    }

    #[test]
    fn a_chat_is_found_by_number_or_by_link() {
        let by_id = ("getChat", vec![("chatId", "-12".to_owned())]);
        assert_eq!(operation("GET", "/chats/-12"), Some(by_id));
        let by_link = ("getChatByLink", vec![("chatLink", "@team".to_owned())]);
        assert_eq!(operation("GET", "/chats/%40team"), Some(by_link));
    }

    #[test]
    fn literal_segments_are_not_parameters() {
        let name = |method, path| operation(method, path).map(|(name, _)| name);
        assert_eq!(name("GET", "/chats/1/members/admins"), Some("getAdmins"));
        assert_eq!(name("GET", "/chats/1/members"), Some("getMembers"));
        assert_eq!(name("POST", "/answers/constructor"), Some("construct"));
        assert_eq!(name("GET", "/messages/mid.00"), Some("getMessageById"));
    }

    #[test]
    fn an_unknown_path_differs_from_a_wrong_method() {
        let find = |method, path| find(Service::TamTam, method, path);
        assert!(matches!(find("GET", "/x"), Found::Nothing));
        assert!(matches!(find("DELETE", "/me"), Found::OtherMethods(others) if others == ["GET", "PATCH"]));
    }

    #[test]
    fn ignores_extra_slashes_in_a_path() {
        for path in ["/chats/-1/members/", "//chats//-1/members", "/chats/-1/members//"] {
            assert_eq!(operation("GET", path).map(|(name, _)| name), Some("getMembers"), "{path}");
        }
        assert!(operation("GET", "//").is_none());
    }

    #[test]
    fn operations_that_max_removed_are_unknown_paths() {
        for (method, path) in [
            ("GET", "/chats"),
            ("GET", "/chats/link"),
            ("DELETE", "/chats/-1"),
            ("PATCH", "/me"),
            ("POST", "/me/commands"),
            ("POST", "/answers/constructor"),
        ] {
            assert!(matches!(find(Service::Max, method, path), Found::Nothing), "{method} {path}");
        }
        assert!(matches!(find(Service::Max, "PUT", "/chats/-1"), Found::OtherMethods(_)));
        assert!(matches!(find(Service::TamTam, "GET", "/videos/a"), Found::Nothing));
    }

    #[test]
    fn the_documents_have_every_operation_of_the_sandbox() {
        for service in [Service::TamTam, Service::Max] {
            let routed: BTreeSet<_> = routes(service).map(|route| route.operation).collect();
            assert_eq!(routed.len(), routes(service).count());
            assert_eq!(routed, validation::operations(service).collect());
        }
    }
}
