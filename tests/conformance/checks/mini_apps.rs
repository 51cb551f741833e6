//! Signatures made with the token of the bot: launch data of Mini Apps and shared contacts.

use tamtam::{
    Keyboard,
    mini_app::{InvalidInitData, MiniApp},
    types::{OpenAppButton, RequestContactButton},
};

use super::polled::updates;
use crate::{outcome::Done, place::Place};

pub(super) async fn the_launch_data_of_a_mini_app_is_signed(place: Place) -> Done {
    let people = place.people("opens a Mini App")?;
    let alice = &people.alice;
    let mini_app = MiniApp::new(people.sandbox.token()).unwrap();
    let launch = alice.opens_app("from_a_link");
    let data = mini_app.check(launch.init_data()).unwrap();
    assert_eq!(data.user.map(|user| user.id), Some(alice.user_id()));
    assert_eq!(data.start_param.as_deref(), Some("from_a_link"));
    let other = MiniApp::new("another_token").unwrap();
    assert_eq!(other.check(launch.init_data()), Err(InvalidInitData::WrongHash));

    let button = OpenAppButton::new("Open", "sandbox_bot").payload("from_a_button");
    let keyboard = Keyboard::new(vec![vec![button.into()]]);
    place.post(alice.chat_id(), place.text("an app").keyboard(keyboard)).await;
    let data = mini_app.check(alice.presses_app("Open").init_data()).unwrap();
    assert_eq!(data.start_param.as_deref(), Some("from_a_button"));
    Ok(())
}

pub(super) async fn a_shared_contact_is_signed(place: Place) -> Done {
    let people = place.people("shares a contact")?;
    let alice = &people.alice;
    let keyboard = Keyboard::new(vec![vec![RequestContactButton::new("Call me").into()]]);
    place.post(alice.chat_id(), place.text("Your number?").keyboard(keyboard)).await;
    updates(&place).await;
    alice.presses("Call me");
    alice.shares_contact();
    let updates = updates(&place).await;
    assert_eq!(updates.len(), 2);
    let mini_app = MiniApp::new(people.sandbox.token()).unwrap();
    for update in &updates {
        let contact = update.message().and_then(|message| message.contacts().next()).unwrap();
        assert_eq!(contact.user().map(|user| user.user_id), Some(alice.user_id()));
        let (card, hash) = (contact.payload.vcf_info.as_deref().unwrap(), contact.payload.hash.as_deref().unwrap());
        assert!(mini_app.is_contact_genuine(card, hash), "{card}");
        assert!(!mini_app.is_contact_genuine(&format!("{card} "), hash), "the card was changed");
    }
    Ok(())
}
