//! What is checked: each check is an async function whose name says what a server does.

mod attachments;
mod chats;
mod me;
mod members;
mod messages;
mod people;
mod pins;
mod updates;

use std::pin::Pin;

use crate::place::{Done, Place};

/// A name, and what makes the check.
pub(crate) type Check = (&'static str, fn(Place) -> Pin<Box<dyn Future<Output = Done> + Send>>);

macro_rules! checks {
    ($($module:ident { $($name:ident,)* })*) => {
        &[$($((stringify!($name), |place| Box::pin($module::$name(place))),)*)*]
    };
}

pub(crate) const CHECKS: &[Check] = checks! {
    me {
        a_bot_knows_who_it_is,
        a_wrong_token_is_refused,
        an_unknown_path_is_told,
        commands_are_set_and_reset,
        a_description_is_changed,
    }
    chats {
        chats_are_listed_in_pages,
        a_list_has_its_limits,
        a_chat_is_told_of,
        a_public_chat_is_found_by_its_link,
        an_unknown_chat_is_not_found,
        a_title_is_changed,
        a_title_is_not_blank_and_not_too_long,
        actions_are_shown,
        an_unknown_action_is_refused,
    }
    pins {
        a_message_is_pinned_and_unpinned,
        a_chat_is_edited_with_a_pin,
        what_is_no_message_is_not_pinned,
    }
    members {
        the_bot_is_a_member,
        administrators_are_listed,
        members_come_in_pages,
        a_member_is_not_added_again,
        members_are_added_and_removed,
        a_bot_leaves,
    }
    messages {
        a_fetched_message_equals_the_posted_one,
        ids_are_put_together_as_documented,
        a_text_has_at_most_4000_characters,
        nothing_is_no_message,
        a_message_has_one_recipient,
        messages_are_listed_the_newest_first,
        messages_are_listed_from_a_time_back_to_another,
        a_message_is_edited,
        an_edit_that_leaves_nothing_is_refused,
        a_deleted_message_is_gone,
        an_id_that_is_none_is_an_error,
        a_reply_carries_what_it_answers,
        a_forward_keeps_the_id,
        markdown_and_html_become_markup,
        a_text_without_a_format_stays_as_it_is,
        a_link_can_go_without_its_preview,
    }
    attachments {
        every_kind_of_upload_has_a_url,
        a_keyboard_has_every_kind_of_button,
        a_message_has_one_keyboard,
        a_location_and_a_contact_are_attached,
        a_photo_is_uploaded_and_sent_again,
        an_audio_is_uploaded,
        a_video_is_uploaded,
        a_file_keeps_its_name_and_is_alone,
        an_edit_keeps_replaces_and_removes_attachments,
        an_image_without_a_source_is_refused,
    }
    updates {
        an_unknown_callback_is_an_error,
        an_unknown_session_is_an_error,
        subscriptions_are_listed,
        what_is_not_subscribed_is_not_unsubscribed,
        a_webhook_is_subscribed_and_unsubscribed,
        polls_go_on_by_a_marker,
    }
    people {
        a_person_starts_the_bot_and_writes,
        a_person_edits_and_deletes,
        a_pressed_button_is_answered,
        a_button_shares_a_contact,
        a_message_is_made_in_the_constructor,
        people_come_and_go,
        a_chat_button_creates_a_chat,
        a_person_who_stopped_the_bot_is_not_written_to,
        who_never_opened_the_bot_has_no_dialog,
        a_dialog_has_no_pin_and_no_members,
    }
};
