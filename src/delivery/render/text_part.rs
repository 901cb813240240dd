//! A rendered text template taken apart into subject and body, the body folded to a readable width.

use super::single_line::single_line;

/// Columns a line of the body is folded to. RFC 5322 §2.1.1 asks for at most 78; the rest leaves
/// room for being quoted in an answer.
const WIDTH: usize = 72;

/// Subject and body of a rendered text template, which begins with `Subject: …` and an empty line;
/// `None` when it does not, or when the subject is empty.
pub(super) fn split(rendered: &str) -> Option<(String, String)> {
    let (first, body) = rendered.split_once("\n\n")?;
    let subject = single_line(first.strip_prefix("Subject:")?);
    let one_line = !first.contains('\n');
    (one_line && !subject.is_empty()).then(|| (subject, fold(body)))
}

/// Breaks the lines of `text` that are longer than [`WIDTH`] at spaces. What has no space, such as a
/// link, stays whole. The result ends with one line break.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len() + text.len() / WIDTH);
    for line in text.trim_end().lines() {
        let mut column = 0;
        for (index, word) in line.split(' ').enumerate() {
            let width = word.chars().count();
            if index > 0 {
                let fits = column + 1 + width <= WIDTH;
                folded.push(if fits { ' ' } else { '\n' });
                column = if fits { column + 1 } else { 0 };
            }
            folded.push_str(word);
            column += width;
        }
        folded.push('\n');
    }
    folded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_line_is_the_subject() {
        let parts = split("Subject: Your password\n\nHello,\n\nthis is it.\n");
        assert_eq!(
            parts,
            Some((
                "Your password".to_owned(),
                "Hello,\n\nthis is it.\n".to_owned()
            ))
        );
    }

    #[test]
    fn a_text_without_a_subject_line_and_an_empty_line_is_refused() {
        for rendered in [
            "",
            "Subject: only",
            "Hello,\n\nSubject: too late",
            "Subject: \n\nempty",
            "Subject: two\nlines\n\nbody",
        ] {
            assert_eq!(split(rendered), None, "{rendered:?}");
        }
    }

    #[test]
    fn a_subject_cannot_hold_a_carriage_return() {
        let (subject, _) = split("Subject: A\rBcc: x@y\n\nbody").unwrap_or_default();
        assert_eq!(subject, "A Bcc: x@y");
    }

    #[test]
    fn a_long_line_is_broken_at_spaces_and_a_link_is_not() {
        let link = format!("https://accounts.example.com/reset#rlt1_{}", "x".repeat(80));
        let text = format!("{} {link} done", "word ".repeat(20).trim_end());
        let folded = fold(&text);
        assert!(folded.lines().any(|line| line == link));
        assert!(
            folded
                .lines()
                .all(|line| line == link || line.len() <= WIDTH)
        );
        assert_eq!(folded.replace('\n', " ").trim_end(), text);
    }

    proptest! {
        #[test]
        fn folding_changes_nothing_but_spaces_into_line_breaks(text in "[a-zäöü \n]{0,400}") {
            let folded = fold(&text);
            prop_assert_eq!(
                folded.split_whitespace().collect::<Vec<_>>(),
                text.split_whitespace().collect::<Vec<_>>()
            );
            for line in folded.lines() {
                prop_assert!(line.chars().count() <= WIDTH || !line.contains(' '));
            }
        }
    }
}
