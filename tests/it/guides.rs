//! Checks of the migration guides: they cover every method, and all code in their tables is compiled.

/// The public methods of botapitamtam 0.5.2.3.
const BOTAPITAMTAM: &str = "
    get_updates get_subscriptions subscribe unsubscribe get_marker
    get_bot_info get_bot_user_id get_bot_name get_bot_username get_bot_avatar_url get_bot_full_avatar_url
    get_bot_commands get_bot_description command edit_bot_info
    get_chat get_chat_type get_all_chats get_chat_admins get_chat_membership leave_chat edit_chat_info
    get_messages get_members add_members remove_member ban_member
    get_update_type get_text get_attachments get_url get_attach_type get_chat_id get_link_chat_id get_user_id
    get_link_user_id get_name get_is_bot get_link_name get_username get_link_username get_payload get_callback_id
    get_session_id get_message_id get_start_payload
    get_construct_text get_construct_attach get_construct_attach_type get_construct_payload
    edit_message pin_message unpin_message get_pinned_message
    typing_on mark_seen sending_video sending_audio sending_photo sending_image sending_file
    delete_message attach_buttons button_callback button_link button_contact button_location button_chat send_buttons
    upload_url markup attach_file send_file attach_image send_image attach_image_url send_image_url
    attach_video send_video attach_audio send_audio
    send_forward_message link_reply link_forward send_reply_message token_upload_content
    send_message send_answer_callback send_construct_message";

const FROM_BOTAPITAMTAM: &str = include_str!("../../docs/from-botapitamtam.md");
const FROM_JAVA: &str = include_str!("../../docs/from-java.md");

/// A row of a table: a call of the other library, and its counterpart in this crate.
struct Row<'a> {
    there: &'a str,
    here: &'a str,
}

/// A chapter of a guide: the rows of its tables with a given heading, and the visible lines of its code.
struct Chapter<'a> {
    title: &'a str,
    rows: Vec<Row<'a>>,
    code: String,
}

fn chapters<'a>(guide: &'a str, heading: &str) -> Vec<Chapter<'a>> {
    let mut chapters = Vec::new();
    let mut chapter = Chapter { title: "", rows: Vec::new(), code: String::new() };
    let (mut in_table, mut block) = (false, None);
    for line in guide.lines() {
        match (block, line.trim_start().strip_prefix("```")) {
            (None, Some(language)) => block = Some(language),
            (Some(_), Some(_)) => block = None,
            (Some("rust"), None) if !(line == "#" || line.starts_with("# ")) => {
                chapter.code += line;
                chapter.code.push('\n');
            }
            (Some(_), None) => {}
            (None, None) => {
                if line.starts_with('#') {
                    chapters.push(std::mem::replace(
                        &mut chapter,
                        Chapter { title: line, rows: Vec::new(), code: String::new() },
                    ));
                }
                let cells = line.strip_prefix('|').and_then(|line| line.strip_suffix('|'));
                match cells.map(|cells| cells.split('|').map(str::trim).collect::<Vec<_>>()) {
                    None => in_table = false,
                    Some(_) if line == heading => in_table = true,
                    Some(cells) if in_table && cells[0] != "---" => match cells[..] {
                        [there, here] => chapter.rows.push(Row { there, here }),
                        _ => panic!("not two cells: {line}"),
                    },
                    Some(_) => {}
                }
            }
        }
    }
    chapters.push(chapter);
    chapters
}

/// Returns the parts of a cell between backticks.
fn code_of(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// Asserts that all code in the tables is also in the code blocks of its chapter. White space may differ.
fn assert_compiled(chapters: &[Chapter<'_>]) {
    let without_space = |code: &str| code.split_whitespace().collect::<String>();
    let mut missing = Vec::new();
    for Chapter { title, rows, code } in chapters {
        let compiled = without_space(code);
        for Row { there, here } in rows {
            assert!(!there.is_empty() && !here.is_empty(), "{title}: an empty cell beside {there}{here}");
            let lines = code_of(here).filter(|line| !compiled.contains(&without_space(line)));
            missing.extend(lines.map(|line| format!("{title}: `{line}`, for {there}")));
        }
    }
    assert!(missing.is_empty(), "code of tables that is in no compiled block:\n{}", missing.join("\n"));
}

#[test]
fn every_method_of_botapitamtam_has_one_row_with_compiled_code() {
    let chapters = chapters(FROM_BOTAPITAMTAM, "| method | here |");
    assert_compiled(&chapters);
    let mut rows: Vec<&str> = Vec::new();
    for Row { there, here } in chapters.iter().flat_map(|chapter| &chapter.rows) {
        assert!(code_of(here).next().is_some(), "{there} has no counterpart");
        rows.extend(code_of(there));
    }
    let mut methods: Vec<&str> = BOTAPITAMTAM.split_whitespace().collect();
    assert_eq!(methods.len(), 89);
    rows.sort_unstable();
    methods.sort_unstable();
    assert_eq!(rows, methods);
}

#[test]
fn the_lines_of_the_java_guide_are_compiled() {
    let chapters = chapters(FROM_JAVA, "| Java | here |");
    assert_compiled(&chapters);
    assert_eq!(chapters.iter().filter(|chapter| !chapter.rows.is_empty()).count(), 6);
}

/// No block of Rust may be excluded from compilation, for example with `ignore`.
#[test]
fn all_code_in_the_guides_is_compiled_and_run() {
    for guide in [FROM_BOTAPITAMTAM, FROM_JAVA] {
        let blocks = guide.lines().filter_map(|line| line.trim_start().strip_prefix("```"));
        let languages: Vec<&str> = blocks.step_by(2).filter(|language| *language != "toml").collect();
        assert!(languages.len() > 6 && languages.iter().all(|language| *language == "rust"), "{languages:?}");
    }
}
