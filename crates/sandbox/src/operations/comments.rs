//! Comments: `getComments`, `sendComment`, `editComment`, `deleteComment`, `getCommentById`.

use serde_json::{Map, Value, json};

use super::access;
use super::call::Call;
use super::draft::Draft;
use super::messages::Span;
use crate::protocol::error::ApiError;
use crate::protocol::fields::Fields;
use crate::protocol::success;
use crate::state::State;
use crate::state::chat::Permission;
use crate::state::ids::{ChatId, Seq, UserId};
use crate::state::message::{Content, Link, LinkKind, Message};

/// Returns comments on a post: the newest first, or those with the given ids.
pub(crate) fn get_comments(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let (chat_id, post) = read_post(state, call)?;
    let mids = call.list("comment_ids");
    let comments: Vec<&Message> = if mids.is_empty() {
        let span = Span::read(call)?;
        let chat = access::chat(state, call.bot, chat_id)?;
        let newest_first = chat.comments.values().rev();
        newest_first.filter(|comment| comment.post == Some(post)).filter(|one| span.has(one)).take(span.count).collect()
    } else {
        mids.iter().map(|mid| find(state, (chat_id, post), mid)).collect::<Result<_, _>>()?
    };
    let comments: Vec<_> = comments.into_iter().map(|comment| comment_json(state, comment)).collect();
    Ok(json!({ "messages": comments }))
}

pub(crate) fn get_comment_by_id(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let place = read_post(state, call)?;
    Ok(comment_json(state, find(state, place, call.path_text("commentId"))?))
}

pub(crate) fn send_comment(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let (chat_id, post) = read_post(state, call)?;
    if !access::open_chat(state, call.bot, chat_id)?.takes_comments {
        return Err(ApiError::comments_closed());
    }
    let content = read_draft(state, call.bot, (chat_id, post), &call.body()?)?;
    let Some(content) = content.into_comment(Content::default()) else {
        return Err(ApiError::payload("Comment must have text"));
    };
    let seq = state.comment(chat_id, post, call.bot, content);
    let comment = state.chats.get(&chat_id).and_then(|chat| chat.comments.get(&seq));
    Ok(json!({ "message": comment.map(|comment| comment_json(state, comment)) }))
}

/// Edits a comment of the bot. Fails after 26 h.
pub(crate) fn edit_comment(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let place = read_post(state, call)?;
    let comment = find(state, place, call.required_text("comment_id")?)?;
    if comment.sender != call.bot {
        return Err(ApiError::access_denied());
    }
    if state.is_old(comment) {
        return Err(ApiError::comment_too_old());
    }
    let (seq, old) = (comment.body.seq, Content::of(comment));
    let Some(content) = read_draft(state, call.bot, place, &call.body()?)?.into_comment(old) else {
        return Ok(success::refused("Comment cannot be empty"));
    };
    state.edit_comment(place.0, seq, call.bot, content);
    Ok(success::done())
}

pub(crate) fn delete_comment(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let place = read_post(state, call)?;
    let seq = find(state, place, call.required_text("comment_id")?)?.body.seq;
    let chat = access::group(state, call.bot, place.0)?;
    for right in [Permission::ReadAllMessages, Permission::Delete] {
        if !chat.may(call.bot, right) {
            return Err(ApiError::no_right(right.name()));
        }
    }
    state.delete_comment(place.0, seq, call.bot);
    Ok(success::done())
}

/// Returns the channel and the post that the path names.
fn read_post(state: &State, call: &Call) -> Result<(ChatId, Seq), ApiError> {
    let post = access::message(state, call.bot, call.path_text("messageId"))?;
    let (chat_id, seq) = (post.body.chat, post.body.seq);
    if !access::chat(state, call.bot, chat_id)?.is_channel() {
        return Err(ApiError::payload("messageId: is not a post of a channel, and has no comments"));
    }
    Ok((chat_id, seq))
}

/// Finds a comment on a post.
fn find<'a>(state: &'a State, (chat, post): (ChatId, Seq), mid: &str) -> Result<&'a Message, ApiError> {
    let found = state.find_comment(mid).filter(|comment| comment.body.chat == chat && comment.post == Some(post));
    found.ok_or_else(|| ApiError::message_not_found(mid))
}

/// Reads a `NewCommentBody`. Its link must be a reply to a comment on the same post.
fn read_draft(
    state: &mut State,
    bot: UserId,
    place: (ChatId, Seq),
    body: &Map<String, Value>,
) -> Result<Draft, ApiError> {
    let mut body = body.clone();
    let link = body.remove("link");
    // Comments have no attachments: the field is ignored, like any unknown field.
    body.remove("attachments");
    let link = match link.as_ref().filter(|link| !link.is_null()) {
        Some(link) => Some(read_link(state, place, Fields::of("link", link)?)?),
        None => None,
    };
    Ok(Draft::read(state, bot, &body)?.with_link(link))
}

fn read_link(state: &State, place: (ChatId, Seq), link: Fields<'_>) -> Result<Link, ApiError> {
    if link.required_text("type")? != LinkKind::Reply.name() {
        return Err(ApiError::payload("link.type: a comment can only reply"));
    }
    Ok(Link::to(find(state, place, link.required_text("mid")?)?, LinkKind::Reply))
}

/// Writes a `CommentMessage`, which has no attachments.
fn comment_json(state: &State, comment: &Message) -> Value {
    let mut json = state.message_json(comment);
    for place in ["/body", "/link/message"] {
        if let Some(body) = json.pointer_mut(place).and_then(Value::as_object_mut) {
            body.remove("attachments");
        }
    }
    json
}
