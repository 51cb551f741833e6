//! The paths of the API as data: method and path lead to an operation.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::operations::call::Call;
use crate::operations::{answers, chats, construct, me, members, messages, pins, subscriptions, uploads};
use crate::protocol::error::ApiError;
use crate::state::State;

/// How an operation is answered.
#[derive(Clone, Copy)]
pub(crate) enum Handler {
    /// At once, from the state.
    Now(fn(&mut State, &Call) -> Result<Value, ApiError>),
    /// When there is an update, or the poll's time is up.
    Poll,
}

/// An operation of the API's document.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) template: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) handler: Handler,
}

/// All operations of API 0.5.6. Where two templates fit a path, the first is taken.
#[rustfmt::skip]
pub(crate) static ROUTES: &[Route] = &[
    route("GET",    "/me",                            "getMyInfo",        Handler::Now(me::get_my_info)),
    route("PATCH",  "/me",                            "editMyInfo",       Handler::Now(me::edit_my_info)),
    route("GET",    "/chats",                         "getChats",         Handler::Now(chats::get_chats)),
    route("GET",    "/chats/{chatLink}",              "getChatByLink",    Handler::Now(chats::get_chat_by_link)),
    route("GET",    "/chats/{chatId}",                "getChat",          Handler::Now(chats::get_chat)),
    route("PATCH",  "/chats/{chatId}",                "editChat",         Handler::Now(chats::edit_chat)),
    route("POST",   "/chats/{chatId}/actions",        "sendAction",       Handler::Now(chats::send_action)),
    route("GET",    "/chats/{chatId}/pin",            "getPinnedMessage", Handler::Now(pins::get_pinned_message)),
    route("PUT",    "/chats/{chatId}/pin",            "pinMessage",       Handler::Now(pins::pin_message)),
    route("DELETE", "/chats/{chatId}/pin",            "unpinMessage",     Handler::Now(pins::unpin_message)),
    route("GET",    "/chats/{chatId}/members/me",     "getMembership",    Handler::Now(members::get_membership)),
    route("DELETE", "/chats/{chatId}/members/me",     "leaveChat",        Handler::Now(members::leave_chat)),
    route("GET",    "/chats/{chatId}/members/admins", "getAdmins",        Handler::Now(members::get_admins)),
    route("GET",    "/chats/{chatId}/members",        "getMembers",       Handler::Now(members::get_members)),
    route("POST",   "/chats/{chatId}/members",        "addMembers",       Handler::Now(members::add_members)),
    route("DELETE", "/chats/{chatId}/members",        "removeMember",     Handler::Now(members::remove_member)),
    route("GET",    "/subscriptions",                 "getSubscriptions", Handler::Now(subscriptions::get_subscriptions)),
    route("POST",   "/subscriptions",                 "subscribe",        Handler::Now(subscriptions::subscribe)),
    route("DELETE", "/subscriptions",                 "unsubscribe",      Handler::Now(subscriptions::unsubscribe)),
    route("POST",   "/uploads",                       "getUploadUrl",     Handler::Now(uploads::get_upload_url)),
    route("GET",    "/messages",                      "getMessages",      Handler::Now(messages::get_messages)),
    route("POST",   "/messages",                      "sendMessage",      Handler::Now(messages::send_message)),
    route("PUT",    "/messages",                      "editMessage",      Handler::Now(messages::edit_message)),
    route("DELETE", "/messages",                      "deleteMessage",    Handler::Now(messages::delete_message)),
    route("GET",    "/messages/{messageId}",          "getMessageById",   Handler::Now(messages::get_message_by_id)),
    route("POST",   "/answers",                       "answerOnCallback", Handler::Now(answers::answer_on_callback)),
    route("POST",   "/answers/constructor",           "construct",        Handler::Now(construct::construct)),
    route("GET",    "/updates",                       "getUpdates",       Handler::Poll),
];

/// The parameter that takes a name; `{chatId}` takes everything else.
const LINK: &str = "chatLink";

/// Decoded parameters of a path.
pub(crate) type PathParameters = Vec<(&'static str, String)>;

pub(crate) enum Found {
    Operation(&'static Route, PathParameters),
    /// The path is known, with other methods.
    OtherMethods(Vec<&'static str>),
    Nothing,
}

pub(crate) fn find(method: &str, path: &str) -> Found {
    let mut others = Vec::new();
    for route in ROUTES {
        let Some(parameters) = fit(route.template, path) else { continue };
        if route.method == method {
            return Found::Operation(route, parameters);
        }
        others.push(route.method);
    }
    if others.is_empty() { Found::Nothing } else { Found::OtherMethods(others) }
}

/// The parameters of a path, if the template fits it.
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

const fn route(method: &'static str, template: &'static str, operation: &'static str, handler: Handler) -> Route {
    Route { method, template, operation, handler }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::protocol::validation;

    fn operation(method: &str, path: &str) -> Option<(&'static str, PathParameters)> {
        match find(method, path) {
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
    fn an_unknown_path_is_told_from_a_wrong_method() {
        assert!(matches!(find("GET", "/x"), Found::Nothing));
        assert!(matches!(find("GET", "/me/"), Found::Nothing));
        assert!(matches!(find("DELETE", "/me"), Found::OtherMethods(others) if others == ["GET", "PATCH"]));
    }

    #[test]
    fn the_document_has_every_operation_of_the_sandbox() {
        let routed: BTreeSet<_> = ROUTES.iter().map(|route| route.operation).collect();
        assert_eq!(routed.len(), ROUTES.len());
        assert_eq!(routed, validation::operations().collect());
    }
}
