//! How many connections each listener may hold: as many as it is meant to, or as the system has files for.

use crate::metrics::{ConnectionMetrics, Listener};
use crate::peers::Places;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::num::NonZeroUsize;

/// Connections of a web listener: a few scrapers and probes, or a provider's webhook, with room for others.
const WEB: NonZeroUsize = NonZeroUsize::new(512).unwrap();

/// Files that the process has open besides: the database and its readers, mail servers, and some to spare.
const BESIDES: usize = 256;

/// What the listeners share.
pub(super) struct Allotment {
    grpc: NonZeroUsize,
    /// How many places all listeners want together, and for how many there are files.
    wanted: usize,
    there: usize,
    metrics: ConnectionMetrics,
}

impl Allotment {
    /// For the API with so many connections and this number of web listeners. Lets the process open as many files
    /// as the system ever lets it, and tells the log if that is too few.
    pub(super) fn new(
        grpc: NonZeroUsize,
        web_listeners: usize,
        metrics: &ConnectionMetrics,
    ) -> Self {
        Self::wanting(grpc, grpc.get() + web_listeners * WEB.get(), metrics)
    }

    /// For this number of web listeners and no API.
    pub(super) fn of_pages(web_listeners: usize, metrics: &ConnectionMetrics) -> Self {
        Self::wanting(NonZeroUsize::MIN, web_listeners * WEB.get(), metrics)
    }

    fn wanting(grpc: NonZeroUsize, wanted: usize, metrics: &ConnectionMetrics) -> Self {
        let files = most_files();
        let allotment = Self {
            grpc,
            wanted,
            there: files.saturating_sub(BESIDES),
            metrics: metrics.clone(),
        };
        if allotment.there < allotment.wanted {
            tracing::warn!(
                files,
                needed = allotment.wanted + BESIDES,
                "the system lets this process open too few files for its connections: raise its limit (ulimit -n, LimitNOFILE)"
            );
        }
        allotment
    }

    /// The places of a listener.
    pub(super) fn places(&self, listener: Listener) -> Places {
        let wanted = match listener {
            Listener::Grpc => self.grpc,
            Listener::Console | Listener::Inbox | Listener::Ops | Listener::Bounces => WEB,
        };
        Places::new(listener, self.fitting(wanted), &self.metrics)
    }

    /// So many, or their part of what there is.
    fn fitting(&self, wanted: NonZeroUsize) -> NonZeroUsize {
        if self.wanted <= self.there {
            return wanted;
        }
        let part = wanted.get() * self.there / self.wanted;
        NonZeroUsize::new(part).unwrap_or(NonZeroUsize::MIN)
    }
}

/// How many files the process may open, once its own limit is as high as the system's.
fn most_files() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    let limit = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        // A sandbox may forbid it.
        Err(_) => current,
    };
    limit.map_or(usize::MAX, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitting(there: usize) -> [usize; 2] {
        let allotment = Allotment {
            grpc: NonZeroUsize::new(1_024).unwrap(),
            wanted: 2_048,
            there,
            metrics: ConnectionMetrics::default(),
        };
        [allotment.grpc, WEB].map(|wanted| allotment.fitting(wanted).get())
    }

    #[test]
    fn every_listener_has_what_it_wants_or_its_part() {
        assert_eq!(fitting(2_048), [1_024, 512]);
        assert_eq!(fitting(1_000), [500, 250]);
        assert_eq!(fitting(0), [1, 1]);
    }

    #[test]
    fn the_process_may_open_what_the_system_allows() {
        let most = most_files();
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        assert_eq!(current, maximum);
        assert_eq!(current.map(|limit| limit.try_into().unwrap()), Some(most));
    }
}
