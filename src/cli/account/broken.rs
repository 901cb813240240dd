//! Lines that hold no row, each told at its turn.

use tokio::sync::mpsc;

/// A line that holds no row.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken {
    /// Its number.
    pub(super) line: i64,
    /// What is wrong with it.
    pub(super) why: String,
    /// The line of the last row before it.
    pub(super) after: i64,
}

/// The broken lines of a file, in its order. Each is there before the row that follows it is sent.
///
/// The turn of a line comes when every row before it is answered, and passes when a row behind it is. So what is told
/// and how far the import has come are the same: whoever goes on from there hears of each line once.
pub(super) struct BrokenLines {
    lines: mpsc::Receiver<Broken>,
    next: Option<Broken>,
}

impl BrokenLines {
    /// What comes through this channel.
    pub(super) const fn new(lines: mpsc::Receiver<Broken>) -> Self {
        Self { lines, next: None }
    }

    /// Waits for the next line, and takes it if its turn has come with all rows up to this line being answered; `None`
    /// if an answer has to come first, or no line is left.
    pub(super) async fn due(&mut self, answered: i64) -> Option<Broken> {
        if self.next.is_none() {
            self.next = self.lines.recv().await;
        }
        self.next.take_if(|broken| broken.after <= answered)
    }

    /// Takes the next line if it stands before that of a row that was sent.
    pub(super) fn before(&mut self, row: i64) -> Option<Broken> {
        if self.next.is_none() {
            self.next = self.lines.try_recv().ok();
        }
        self.next.take_if(|broken| broken.line < row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(line: i64, after: i64) -> Broken {
        Broken {
            line,
            why: String::new(),
            after,
        }
    }

    async fn lines(broken: Vec<Broken>) -> BrokenLines {
        let (sender, lines) = mpsc::channel(8);
        for line in broken {
            sender.send(line).await.unwrap();
        }
        BrokenLines::new(lines)
    }

    #[tokio::test]
    async fn a_line_is_told_when_every_row_before_it_is_answered_and_not_earlier() {
        let mut lines = lines(vec![broken(3, 2), broken(4, 2), broken(6, 5)]).await;
        assert_eq!(lines.due(1).await, None);
        assert_eq!(lines.due(2).await, Some(broken(3, 2)));
        assert_eq!(lines.due(2).await, Some(broken(4, 2)));
        assert_eq!(lines.due(2).await, None);
        assert_eq!(lines.due(5).await, Some(broken(6, 5)));
        assert_eq!(lines.due(5).await, None);
    }

    #[tokio::test]
    async fn no_answer_goes_past_a_line_that_is_not_told() {
        let mut lines = lines(vec![broken(3, 2), broken(4, 2), broken(6, 5)]).await;
        assert_eq!(lines.before(2), None);
        assert_eq!(lines.before(5), Some(broken(3, 2)));
        assert_eq!(lines.before(5), Some(broken(4, 2)));
        assert_eq!(lines.before(5), None);
        assert_eq!(lines.due(5).await, Some(broken(6, 5)));
    }
}
