//! Signatures of MAX: the launch data of Mini Apps, and contacts.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tamtam::UserId;
use tamtam::mini_app::{InitData, MiniApp};
use tamtam_sandbox::AppLaunch;

use super::{dialog, unlimited};
use crate::client::{Api, keyboard};
use crate::conformance;
use crate::people::panic_of;

/// Returns the content of launch data. Fails if it is not signed with this token.
fn check(token: &str, launch: &AppLaunch) -> InitData {
    MiniApp::new(token).unwrap().check(launch.init_data()).unwrap()
}

#[tokio::test]
async fn launch_data_is_signed_and_has_the_person_and_the_chat() {
    let (max, _, alice) = dialog().await;
    let alice = alice.with_username("alice");
    let launch = alice.opens_app("from-a_friend");
    let data = check(max.token(), &launch);
    assert_eq!((data.user.as_ref().unwrap().id, data.start_param.as_deref()), (alice.user_id(), Some("from-a_friend")));
    let person = data.user.unwrap();
    assert_eq!((person.first_name.as_str(), person.username.as_deref()), ("Alice", Some("alice")));
    assert_eq!(data.chat.unwrap().id, alice.chat_id());
    assert!(MiniApp::new("another").unwrap().check(launch.init_data()).is_err());
    let forged = launch.init_data().replace("friend", "foe");
    assert!(MiniApp::new(max.token()).unwrap().check(&forged).is_err());
    let fragment = launch.url_fragment();
    let encoded = fragment.strip_prefix("WebAppData=").unwrap().split('&').next().unwrap();
    let decoded = percent_encoding::percent_decode_str(encoded).decode_utf8().unwrap();
    assert_eq!(decoded, launch.init_data());
    assert!(!format!("{launch:?}").contains("hash"), "{launch:?}");
    assert_eq!(check(max.token(), &alice.opens_app("")).start_param, None);
    assert!(max.transcript().ends_with("Alice opens the Mini App of Echo\n"));
}

#[tokio::test]
async fn launch_data_has_the_time_of_the_sandbox_and_is_signed_for_the_opened_bot() {
    let (max, _, alice) = dialog().await;
    let helper = max.add_bot("Helper", "helper_bot");
    max.time_passes(Duration::from_secs(24 * 60 * 60));
    let launch = alice.with_bot(&helper).opens_app("x");
    let tomorrow = SystemTime::now() + Duration::from_secs(24 * 60 * 60);
    let data = MiniApp::new(helper.token()).unwrap().check_at(launch.init_data(), tomorrow).unwrap();
    assert!(data.auth_date.duration_since(UNIX_EPOCH).is_ok());
    assert!(MiniApp::new(helper.token()).unwrap().check(launch.init_data()).is_err(), "its time is in the future");
    assert!(MiniApp::new(max.token()).unwrap().check_at(launch.init_data(), tomorrow).is_err());
}

#[tokio::test]
async fn a_payload_has_at_most_512_letters_digits_dashes_and_underscores() {
    let (max, _, alice) = dialog().await;
    let longest = "x".repeat(512);
    assert_eq!(check(max.token(), &alice.opens_app(&longest)).start_param, Some(longest));
    for wrong in ["a b", "ё", "a=b", "a&b", &"x".repeat(513)] {
        let message = panic_of(|| drop(alice.opens_app(wrong)));
        assert!(message.contains("Alice cannot follow the link"), "{message}");
    }
}

#[tokio::test]
async fn launch_data_of_a_button_has_its_payload_and_chat() {
    let (max, api, alice) = dialog().await;
    let team = max.group("Team", [&alice]);
    let app = |payload: Value| json!({ "type": "open_app", "text": "Open", "web_app": "echo_bot", "payload": payload });
    for (payload, expected) in [(json!("deal-7"), Some("deal-7")), (Value::Null, None), (json!(""), None)] {
        let body = json!({ "text": "?", "attachments": [keyboard(json!([[app(payload)]]))] });
        api.post(team.chat_id().0, body).await.ok();
        let launch = alice.in_chat(&team).presses_app("Open");
        let data = check(max.token(), &launch);
        assert_eq!((data.start_param.as_deref(), data.chat.unwrap().id), (expected, team.chat_id()));
    }
    assert!(max.transcript().ends_with("(Team) Alice presses [Open]\n"));
    let bob = max.user("Bob").in_chat(&team);
    assert!(panic_of(|| drop(bob.presses_app("Open"))).contains("Bob is not a member"));
}

#[tokio::test]
async fn a_button_opens_the_app_of_the_bot_that_it_names() {
    let (max, api, alice) = dialog().await;
    let helper = max.add_bot("Helper", "helper_bot");
    for (web_app, id, token) in [
        ("echo_bot", Value::Null, max.token()),
        ("@Helper_Bot", Value::Null, helper.token()),
        ("https://max.ru/helper_bot?startapp=x", Value::Null, helper.token()),
        ("x", json!(helper.bot_id().0), helper.token()),
    ] {
        let app = json!({ "type": "open_app", "text": "Open", "web_app": web_app, "contact_id": id });
        let body = json!({ "text": "?", "attachments": [keyboard(json!([[app]]))] });
        api.post(alice.chat_id().0, body).await.ok();
        check(token, &alice.presses_app("Open"));
    }
    let app = json!({ "type": "open_app", "text": "Open", "web_app": "nobody" });
    let body = json!({ "text": "?", "attachments": [keyboard(json!([[app]]))] });
    api.post(alice.chat_id().0, body).await.ok();
    assert!(panic_of(|| drop(alice.presses_app("Open"))).contains("there is no bot nobody"));
}

#[tokio::test]
async fn launch_data_of_a_sandbox_with_a_seed_is_not_expired() {
    let max = conformance::checked(unlimited().seed(7)).await;
    check(max.token(), &max.user("Alice").opens_app("x"));
}

/// Returns the contact of the newest update.
async fn contact(api: &Api) -> Value {
    api.updates().await.0.pop().unwrap()["message"]["body"]["attachments"][0]["payload"].clone()
}

fn is_genuine(token: &str, contact: &Value) -> bool {
    let text = |name: &str| contact[name].as_str().unwrap();
    MiniApp::new(token).unwrap().is_contact_genuine(text("vcf_info"), text("hash"))
}

#[tokio::test]
async fn a_contact_is_signed_with_and_without_a_button() {
    let (max, api, alice) = dialog().await;
    let alice = alice.with_phone("79990000000");
    let rows = json!([[{ "type": "request_contact", "text": "Me" }]]);
    api.post(alice.chat_id().0, json!({ "text": "?", "attachments": [keyboard(rows)] })).await.ok();
    let by_hand: &dyn Fn() = &|| drop(alice.shares_contact());
    for share in [by_hand, &|| alice.presses("Me")] {
        share();
        let contact = contact(&api).await;
        assert!(is_genuine(max.token(), &contact), "{contact}");
        assert!(!is_genuine("another", &contact));
        assert_eq!(contact["max_info"]["user_id"], alice.user_id().0);
        assert_eq!((contact.get("tam_info"), contact["max_info"].get("name")), (None, None));
        let card = contact["vcf_info"].as_str().unwrap();
        assert!(card.contains("TEL;TYPE=cell:79990000000\r\n") && card.contains("FN:Alice\r\n"), "{card}");
    }
    max.user("Bob").shares_contact();
    let made_up = contact(&api).await;
    assert!(made_up["vcf_info"].as_str().unwrap().contains("TEL;TYPE=cell:7"), "{made_up}");
}

#[tokio::test]
async fn a_contact_sent_by_a_bot_is_not_signed() {
    let (_max, api, alice) = dialog().await;
    let send = async |payload: Value| {
        let body = json!({ "attachments": [{ "type": "contact", "payload": payload }] });
        api.post(alice.chat_id().0, body).await.ok()["message"]["body"]["attachments"][0]["payload"].clone()
    };
    let known = send(json!({ "contact_id": alice.user_id().0 })).await;
    assert_eq!((known.get("hash"), &known["max_info"]["user_id"]), (None, &json!(alice.user_id().0)));
    let unknown = send(json!({ "name": "Bob", "contact_id": UserId(1).0, "vcf_phone": "+1" })).await;
    assert_eq!((unknown.get("hash"), unknown.get("max_info")), (None, None));
    assert!(unknown["vcf_info"].as_str().unwrap().contains("FN:Bob"));
    let bare = send(json!({ "vcf_phone": "+79990000000" })).await;
    assert!(bare["vcf_info"].as_str().unwrap().contains("TEL;TYPE=cell:+79990000000"), "{bare}");
}
