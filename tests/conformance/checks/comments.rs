//! Comments on the posts of a channel.

use serde_json::json;
use tamtam::{Message, MessageId, http::Method, request::RawRequest, types::MessageLinkType};

use super::polled::updates;
use crate::{
    outcome::{Done, PAYLOAD, Skip, assert_refused, is_missing},
    place::{Place, marked},
};

/// Sends a comment on a post. Deleting the post also deletes the comment.
async fn comment(place: &Place, post: &Message, text: &str) -> Message {
    *place.bot.comment(post, marked(text)).await.unwrap().message
}

/// A post with two comments, the older one first.
async fn two(place: &Place) -> Result<(Message, [Message; 2]), Skip> {
    let post = place.publish("a post with two comments").await?;
    let comments = [comment(place, &post, "one").await, comment(place, &post, "two").await];
    Ok((post, comments))
}

/// The ids of these comments.
fn ids(comments: &[Message]) -> Vec<MessageId> {
    comments.iter().map(MessageId::from).collect()
}

/// A request to the comments of a post, without the checks of the client.
fn unchecked(place: &Place, method: Method, post: &Message) -> RawRequest {
    place.bot.request(method, format!("/messages/{}/comments", MessageId::from(post)))
}

pub(super) async fn a_fetched_comment_equals_the_sent_one(place: Place) -> Done {
    let post = place.publish("a post").await?;
    let sent = comment(&place, &post, "Ура! 🎉").await;
    assert_eq!(sent.text(), Some(marked("Ура! 🎉").as_str()));
    assert_eq!(sent.recipient.chat_id, post.recipient.chat_id);
    assert_eq!(sent.recipient.post_id.as_ref(), post.mid());
    assert_eq!(place.bot.api().get_comment_by_id(&post, &sent).await.unwrap(), sent);
    Ok(())
}

pub(super) async fn comments_are_listed_the_newest_first(place: Place) -> Done {
    let (post, comments) = two(&place).await?;
    let [one, two] = &comments;
    let api = place.bot.api();
    assert_eq!(ids(&api.get_comments(&post).await.unwrap().messages), ids(&[two.clone(), one.clone()]));
    assert_eq!(ids(&api.get_comments(&post).count(1).await.unwrap().messages), [MessageId::from(two)]);
    let before = api.get_comments(&post).before(two.timestamp).await.unwrap();
    assert_eq!(ids(&before.messages), [MessageId::from(one)], "the bound is not included");
    let after = api.get_comments(&post).after(one.timestamp).await.unwrap();
    assert_eq!(ids(&after.messages), [MessageId::from(two)], "the bound is not included");
    let by_id = api.get_comments(&post).comment_ids([one]).await.unwrap();
    assert_eq!(ids(&by_id.messages), [MessageId::from(one)]);
    Ok(())
}

pub(super) async fn a_list_of_comments_has_its_limits(place: Place) -> Done {
    let post = place.publish("a post").await?;
    for count in [0, 101] {
        assert_refused(unchecked(&place, Method::GET, &post).query("count", count).await, 400, PAYLOAD);
    }
    Ok(())
}

pub(super) async fn a_comment_is_edited(place: Place) -> Done {
    let post = place.publish("a post").await?;
    let sent = comment(&place, &post, "Helo").await;
    place.bot.edit_comment(&post, &sent, marked("Hello")).await.unwrap();
    let edited = place.bot.api().get_comment_by_id(&post, &sent).await.unwrap();
    assert_eq!((edited.text(), edited.timestamp), (Some(marked("Hello").as_str()), sent.timestamp));
    Ok(())
}

pub(super) async fn a_deleted_comment_is_gone(place: Place) -> Done {
    let (post, [one, two]) = two(&place).await?;
    place.bot.delete_comment(&post, &one).await.unwrap();
    assert_eq!(ids(&place.bot.api().get_comments(&post).await.unwrap().messages), [MessageId::from(&two)]);
    let error = place.bot.api().get_comment_by_id(&post, &one).await.unwrap_err();
    assert!(is_missing(&error), "{error}");
    Ok(())
}

pub(super) async fn a_reply_has_the_comment_that_it_answers(place: Place) -> Done {
    let post = place.publish("a post").await?;
    let question = comment(&place, &post, "How are you?").await;
    let reply = place.bot.comment(&post, marked("Fine")).reply_to(&question).await.unwrap().message;
    let link = reply.link.unwrap();
    assert_eq!((link.type_, link.message.mid), (MessageLinkType::Reply, MessageId::from(&question)));
    Ok(())
}

pub(super) async fn a_comment_without_a_text_is_refused(place: Place) -> Done {
    let post = place.publish("a post").await?;
    let too_long = "ё".repeat(4001);
    for body in [json!({}), json!({ "text": "" }), json!({ "text": too_long })] {
        assert_refused(unchecked(&place, Method::POST, &post).json(&body).await, 400, PAYLOAD);
    }
    Ok(())
}

pub(super) async fn an_unknown_comment_is_an_error(place: Place) -> Done {
    let (bot, post, unknown) = (&place.bot, place.publish("a post").await?, "mid.conformance");
    let read = bot.api().get_comment_by_id(&post, unknown).await.unwrap_err();
    let edited = bot.edit_comment(&post, unknown, marked("nothing")).await.unwrap_err();
    let deleted = bot.delete_comment(&post, unknown).await.unwrap_err();
    for error in [read, edited, deleted] {
        assert!(is_missing(&error), "{error}");
    }
    Ok(())
}

pub(super) async fn a_message_of_a_group_has_no_comments(place: Place) -> Done {
    let message = place.post(place.chat()?, place.text("no post")).await;
    assert_refused(place.bot.comment(&message, marked("no comment")).await, 400, PAYLOAD);
    assert_refused(place.bot.api().get_comments(&message).await, 400, PAYLOAD);
    Ok(())
}

pub(super) async fn comments_of_people_are_not_polled(place: Place) -> Done {
    let people = place.people("comments on a post")?;
    let post = place.publish("a post").await?;
    updates(&place).await;
    let bob = people.bob.in_chat(people.channel());
    let theirs = bob.comments(&post, "Nice");
    assert_eq!(updates(&place).await, [], "comments are sent to webhooks only");

    let found = place.bot.api().get_comment_by_id(&post, &theirs).await.unwrap();
    assert_eq!((found.text(), found.user_id()), (Some("Nice"), Some(bob.user_id())));
    assert_refused(place.bot.edit_comment(&post, &theirs, "Awful").await, 403, "access.denied");
    place.bot.delete_comment(&post, &theirs).await.unwrap();
    assert_eq!(bob.sees_comments(&post), [""; 0]);
    Ok(())
}

pub(super) async fn comments_can_be_edited_and_deleted_after_they_are_switched_off(place: Place) -> Done {
    let people = place.people("switches comments off")?;
    let (post, [one, two]) = two(&place).await?;
    people.channel().closes_comments();
    assert_refused(place.bot.comment(&post, marked("three")).await, 403, "chat.denied");
    place.bot.edit_comment(&post, &one, marked("still there")).await.unwrap();
    place.bot.delete_comment(&post, &two).await.unwrap();
    let left = place.bot.api().get_comments(&post).await.unwrap().messages;
    assert_eq!(left.iter().map(Message::text).collect::<Vec<_>>(), [Some(marked("still there").as_str())]);
    Ok(())
}
