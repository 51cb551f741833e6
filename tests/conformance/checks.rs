//! The table of checks. Each check is an async function whose name says what a server does.

mod admins;
mod attachments;
mod chats;
mod comments;
mod dialogs;
mod keyboards;
mod me;
mod members;
mod messages;
mod mini_apps;
mod people;
mod pins;
mod polled;
mod updates;
mod videos;

use std::pin::Pin;

use tamtam::Service;

use crate::{outcome::Done, place::Place};

/// One check.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    pub(crate) services: Services,
    pub(crate) run: fn(Place) -> Pin<Box<dyn Future<Output = Done> + Send>>,
}

/// The services that a check applies to.
#[derive(Clone, Copy)]
pub(crate) enum Services {
    Both,
    TamTam,
    Max,
}

impl Services {
    pub(crate) fn include(self, service: &Service) -> bool {
        match self {
            Self::Both => true,
            Self::TamTam => *service == Service::TamTam,
            Self::Max => *service == Service::Max,
        }
    }
}

macro_rules! checks {
    ($($services:ident $module:ident { $($name:ident,)* })*) => {
        &[$($(Check {
            name: stringify!($name),
            services: Services::$services,
            run: |place| Box::pin($module::$name(place)),
        },)*)*]
    };
}

pub(crate) const CHECKS: &[Check] = checks! {
    Both me {
        a_bot_has_a_profile,
        a_wrong_token_is_refused,
        an_unknown_path_is_refused,
        commands_are_set_and_cleared,
    }
    TamTam me {
        cleared_commands_are_null,
        a_description_is_changed,
    }
    Max me {
        cleared_commands_are_an_empty_list,
        a_token_in_the_query_is_refused,
        removed_operations_are_unknown_paths,
    }
    TamTam chats {
        chats_are_listed_in_pages,
        a_list_of_chats_has_its_limits,
        a_public_chat_is_found_by_its_link,
        an_unknown_link_is_not_found,
        an_older_name_of_an_action_is_accepted,
    }
    Both chats {
        a_list_has_its_limits,
        a_chat_has_its_details,
        an_unknown_chat_is_not_found,
        a_title_is_changed,
        a_title_is_not_blank_and_not_too_long,
        actions_are_shown,
        an_unknown_action_is_refused,
    }
    Both pins {
        a_message_is_pinned_and_unpinned,
        editing_a_chat_can_pin_a_message,
        an_unknown_message_is_not_pinned,
    }
    Both members {
        the_bot_is_a_member,
        administrators_are_listed,
        members_come_in_pages,
        members_are_added_and_removed,
        a_bot_leaves,
    }
    TamTam members {
        a_member_is_not_added_again,
    }
    Max members {
        users_who_were_not_added_are_listed,
    }
    Max admins {
        rights_are_given_replaced_and_withdrawn,
        rights_need_the_right_to_read,
        a_user_outside_the_chat_gets_no_rights,
        the_owner_keeps_all_rights,
        a_bot_needs_a_right_to_appoint_admins,
    }
    Both messages {
        a_fetched_message_equals_the_posted_one,
        ids_have_the_documented_form,
        a_text_has_at_most_4000_characters,
        an_empty_message_is_refused,
        a_message_has_one_recipient,
        messages_are_listed_the_newest_first,
        messages_are_listed_from_a_time_back_to_another,
        a_message_is_edited,
        an_edit_that_leaves_nothing_is_refused,
        a_deleted_message_is_gone,
        an_unknown_id_is_an_error,
        a_reply_has_the_message_that_it_answers,
        a_forward_keeps_the_id,
        markdown_and_html_become_markup,
        a_text_without_a_format_stays_as_it_is,
        a_link_is_sent_without_its_preview,
    }
    Max messages {
        messages_are_listed_between_two_times,
        a_quote_becomes_markup,
        a_post_without_a_notification_is_refused_in_a_channel,
    }
    Both keyboards {
        a_message_has_one_keyboard,
    }
    TamTam keyboards {
        every_button_of_tamtam_is_accepted,
    }
    Max keyboards {
        every_button_of_max_is_accepted,
        a_button_opens_a_mini_app,
        a_keyboard_has_30_rows_of_7_buttons_at_most,
        a_row_with_a_wide_button_has_3_buttons_at_most,
        the_texts_of_a_button_have_their_limits,
        a_link_with_an_unknown_scheme_is_refused,
    }
    Both attachments {
        every_kind_of_upload_has_a_url,
        a_location_and_a_contact_are_attached,
        a_photo_is_uploaded_and_sent_again,
        an_audio_is_uploaded,
        a_file_keeps_its_name_and_must_be_the_only_file,
        an_edit_keeps_replaces_and_removes_attachments,
        an_image_without_a_source_is_refused,
    }
    Both videos {
        a_video_is_uploaded,
    }
    Max videos {
        videos_and_audio_have_a_token_before_the_upload,
        a_video_has_its_details,
        an_unknown_video_is_not_found,
    }
    Max comments {
        a_fetched_comment_equals_the_sent_one,
        comments_are_listed_the_newest_first,
        a_list_of_comments_has_its_limits,
        a_comment_is_edited,
        a_deleted_comment_is_gone,
        a_reply_has_the_comment_that_it_answers,
        a_comment_without_a_text_is_refused,
        an_unknown_comment_is_an_error,
        a_message_of_a_group_has_no_comments,
        comments_of_people_are_not_polled,
        comments_can_be_edited_and_deleted_after_they_are_switched_off,
    }
    Both updates {
        an_unknown_callback_is_an_error,
        subscriptions_are_listed,
        an_unknown_webhook_is_not_unsubscribed,
        a_webhook_is_subscribed_and_unsubscribed,
        polls_continue_from_a_marker,
    }
    TamTam updates {
        an_unknown_session_is_an_error,
        a_webhook_keeps_its_version,
    }
    Max updates {
        the_secret_of_a_webhook_is_not_returned,
        a_webhook_needs_https_and_a_proper_secret,
    }
    Both people {
        a_person_starts_the_bot_and_writes,
        a_person_edits_and_deletes,
        a_pressed_button_is_answered,
        a_button_shares_a_contact,
        people_come_and_go,
        a_bot_cannot_write_to_a_person_who_stopped_it,
        a_person_who_never_opened_the_bot_has_no_dialog,
        a_dialog_has_no_pin_and_no_members,
    }
    TamTam people {
        a_message_is_made_in_the_constructor,
        a_chat_button_creates_a_chat,
    }
    Max people {
        a_message_button_posts_its_label,
        a_bot_reads_a_group_with_the_right_to_do_so,
    }
    Max dialogs {
        a_bot_is_stopped_and_started_again,
        a_dialog_is_cleared_muted_and_unmuted,
        a_removed_dialog_is_not_found,
    }
    Max mini_apps {
        the_launch_data_of_a_mini_app_is_signed,
        a_shared_contact_is_signed,
    }
};
