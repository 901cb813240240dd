//! What can be wrong with an operator's templates.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a template cannot be used. A `path` is a place on disk, a `file` the name of a template:
/// `mail/` or `sms/`, then as it stands below the directory of such templates.
#[derive(Debug, Error)]
pub enum TemplateError {
    /// A file or directory that cannot be read, or is not UTF-8.
    #[error("cannot read {}: {cause}", path.display())]
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// A file or directory no message is made from, most likely misspelt.
    #[error("{} is not a template: expected {expected}", path.display())]
    Unknown {
        /// The file or directory.
        path: PathBuf,
        /// What may stand there.
        expected: String,
    },
    /// A mail in an added language that has only one of its two parts.
    #[error("template {file} needs {missing} beside it")]
    Unpaired {
        /// The part that is there.
        file: String,
        /// The part that is not.
        missing: String,
    },
    /// A template that does not compile or does not render.
    #[error("template {file}, line {line}: {problem}")]
    Broken {
        /// The template.
        file: String,
        /// The line, counted from 1; 0 when the engine could not tell.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A text message that says nothing.
    #[error("template {file} says nothing")]
    Empty {
        /// The template.
        file: String,
    },
    /// A mail's text template that does not begin with `Subject: …` and an empty line.
    #[error("template {file}, line 1: expected \"Subject: \" with a subject, then an empty line")]
    NoSubject {
        /// The template.
        file: String,
    },
    /// A template that never shows what its message is sent for.
    #[error("template {file} never shows {{{{ {variable} }}}}")]
    NotShown {
        /// The template.
        file: String,
        /// What it should show.
        variable: String,
    },
}
