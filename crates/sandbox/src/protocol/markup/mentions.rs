//! Finds mentions of users by username: `@alice`.

use std::ops::Range;

/// Returns the possible mentions in a text: the range in UTF-16 code units, including the `@`, and the username.
pub(crate) fn find(text: &str) -> Vec<(Range<usize>, &str)> {
    let mut found = Vec::new();
    let (mut size, mut before) = (0, None);
    for (at, char) in text.char_indices() {
        let from = size;
        size += char.len_utf16();
        // An email address does not mention its domain.
        if char == '@' && !before.is_some_and(is_part) {
            let rest = &text[at + 1..];
            let name = &rest[..rest.find(|char| !is_part(char)).unwrap_or(rest.len())];
            if !name.is_empty() {
                found.push((from..from + 1 + name.len(), name));
            }
        }
        before = Some(char);
    }
    found
}

fn is_part(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_address_is_not_a_mention() {
        assert_eq!(find("@alice, 😀@bob_2!"), [(0..6, "alice"), (10..16, "bob_2")]);
        assert_eq!(find("write to alice@example.org, or @ once, or @@carol"), [(43..49, "carol")]);
        assert_eq!(find(""), []);
    }
}
