//! The program with the service MAX.

use tamtam::types::CallbackAnswer;

use crate::program::{Program, output};
use crate::state_file::Directory;

#[tokio::test]
async fn the_program_prints_one_json_line_with_addresses_and_ids() {
    let program = Program::start(&["--service", "max", "--seed", "demo", "--rate-limit", "none"]).await;
    let keys: Vec<_> = program.ready.as_object().unwrap().keys().collect();
    let ids = ["chat_id", "user_id", "message_id", "callback_id", "callback_ids", "channel_id", "post_id"];
    assert_eq!(keys, [&["service", "base_url", "upload_url", "token"][..], &ids].concat());
    assert_eq!(program.text("service"), "MAX");
    let bot = program.bot();
    assert_eq!(bot.service().name(), "MAX");
    bot.send(program.chat(), "Hello").await.unwrap();
    for id in program.ready["callback_ids"].as_array().unwrap() {
        let answer = CallbackAnswer::new().notification("!");
        bot.api().answer_on_callback(id.as_str().unwrap(), answer).await.unwrap();
    }
    assert_eq!(program.ready["callback_ids"][0], program.ready["callback_id"]);
    let comments = bot.api().get_comments(program.text("post_id")).await.unwrap().messages;
    assert_eq!(comments.len(), 0);
}

#[cfg(unix)]
#[tokio::test]
async fn the_state_file_sets_the_service() {
    let directory = Directory::new("program-max");
    let file = directory.file().to_str().unwrap().to_owned();
    let program = Program::start(&["--service", "max", "--seed", "demo", "--state", &file]).await;
    let post = program.text("post_id");
    assert_eq!(program.ends("-TERM").await.0, Some(0));
    let program = Program::start(&["--seed", "demo", "--state", &file]).await;
    assert_eq!((program.text("service"), program.text("post_id")), ("MAX".to_owned(), post));
    assert_eq!(program.ends("-TERM").await.0, Some(0));
    let (code, stdout, told) = output(&["--port", "0", "--service", "tamtam", "--state", &file]).await;
    assert_eq!((code, stdout.as_str()), (Some(1), ""), "{told}");
    assert!(told.contains("is a state of MAX, not of TamTam") && told.lines().count() == 1, "{told}");
}

#[tokio::test]
async fn limits_are_chosen_by_name_and_an_unknown_name_is_refused() {
    for (service, limits, is_limited) in
        [("max", None, true), ("max", Some("none"), false), ("tamtam", None, false), ("tamtam", Some("max"), true)]
    {
        let limits = limits.map_or(Vec::new(), |limits| vec!["--rate-limit", limits]);
        let program = Program::start(&[&["--service", service][..], &limits].concat()).await;
        let (url, bot) = (format!("{}/sandbox/rate_limited", program.text("base_url")), program.bot());
        // Sends 10 polls at once. A limit refuses some of them, and the bot pauses after a refusal.
        for _ in 0..10 {
            let polls = [(); 10].map(|()| bot.api().get_updates().timeout(0).no_retry().into_future());
            let answers = futures_util::future::join_all(polls).await;
            if answers.iter().any(Result::is_err) {
                break;
            }
        }
        let refused: serde_json::Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        assert_eq!(refused["refused"].as_u64().unwrap() > 0, is_limited, "{service} {limits:?}");
    }
    for wrong in [["--service", "icq"], ["--rate-limit", "some"]] {
        let (code, _, told) = output(&wrong).await;
        assert_eq!(code, Some(2), "{told}");
        assert!(told.contains(wrong[0]) && told.contains("max"), "{told}");
    }
}
