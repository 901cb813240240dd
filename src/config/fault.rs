//! What is wrong with a configuration: every fault at once, each with its place.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Where a faulty setting was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In the file, on this line; the first is 1.
    Line(usize),
    /// In the environment variable of this name.
    Variable(String),
    /// In this flag of the command line.
    Flag(&'static str),
    /// Nowhere: it has its default.
    Default,
}

/// One faulty setting.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// Which, with its value where that helps: `links.lifetime = "48h"`.
    pub setting: String,
    /// What about it.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Line(line) => write!(f, "line {line}: ")?,
            Place::Variable(name) => write!(f, "{name}: ")?,
            Place::Flag(name) => write!(f, "{name}: ")?,
            Place::Default => {}
        }
        write!(f, "{}: {}", self.setting, self.what)
    }
}

/// A configuration that cannot be used.
#[derive(Debug)]
pub enum ConfigRefused {
    /// Its file cannot be read.
    Unreadable(PathBuf, io::Error),
    /// It was read, from that file if any, and has these faults, in the order of their places; there
    /// is at least one.
    Faulty(Option<PathBuf>, Vec<Fault>),
}

/// A line for each fault, below one that says what has them.
impl fmt::Display for ConfigRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(path, why) => {
                write!(
                    f,
                    "the configuration {} cannot be read: {why}",
                    path.display()
                )
            }
            Self::Faulty(path, faults) => {
                match path {
                    Some(path) => write!(f, "the configuration {} has ", path.display())?,
                    None => f.write_str("the configuration has ")?,
                }
                let number = faults.len();
                write!(f, "{number} fault{}:", if number == 1 { "" } else { "s" })?;
                faults.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
            }
        }
    }
}

impl std::error::Error for ConfigRefused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable(_, why) => Some(why),
            Self::Faulty(..) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_a_line_for_each_fault() {
        let fault = |place| Fault {
            place,
            setting: "ops.listen".to_owned(),
            what: "is odd".to_owned(),
        };
        let faults = vec![
            fault(Place::Line(3)),
            fault(Place::Variable("RELATCH_OPS__LISTEN".to_owned())),
            fault(Place::Flag("--ops-listen")),
            fault(Place::Default),
        ];
        assert_eq!(
            ConfigRefused::Faulty(Some("relatch.toml".into()), faults).to_string(),
            "the configuration relatch.toml has 4 faults:\n  \
             line 3: ops.listen: is odd\n  \
             RELATCH_OPS__LISTEN: ops.listen: is odd\n  \
             --ops-listen: ops.listen: is odd\n  \
             ops.listen: is odd"
        );
    }
}
