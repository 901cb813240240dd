//! What was found, a line each, as it is found.

use crate::cli::{Failure, Output};
use std::fmt::Display;

/// Prints findings and counts the problems.
pub(super) struct Report<'a, 'o> {
    output: &'a mut Output<'o>,
    problems: u32,
}

impl<'a, 'o> Report<'a, 'o> {
    /// A report in which nothing stands yet.
    pub(super) fn new(output: &'a mut Output<'o>) -> Self {
        Self {
            output,
            problems: 0,
        }
    }

    /// It is as it should be.
    pub(super) fn ok(&mut self, what: &str, found: impl Display) -> Result<(), Failure> {
        self.line("ok", what, found)
    }

    /// It was not tried, or cannot be known from here.
    pub(super) fn note(&mut self, what: &str, found: impl Display) -> Result<(), Failure> {
        self.line("note", what, found)
    }

    /// It works, and could be better.
    pub(super) fn warning(&mut self, what: &str, found: impl Display) -> Result<(), Failure> {
        self.line("warning", what, found)
    }

    /// It does not work.
    pub(super) fn problem(&mut self, what: &str, found: impl Display) -> Result<(), Failure> {
        self.problems += 1;
        self.line("problem", what, found)
    }

    /// Fails if there is a problem.
    pub(super) fn end(self) -> Result<(), Failure> {
        match self.problems {
            0 => Ok(()),
            1 => Err(Failure::told("there is a problem, told above")),
            problems => Err(Failure::told(format_args!(
                "there are {problems} problems, told above"
            ))),
        }
    }

    fn line(&mut self, level: &str, what: &str, found: impl Display) -> Result<(), Failure> {
        self.output.line(format_args!("{level:<8} {what}: {found}"))
    }
}
