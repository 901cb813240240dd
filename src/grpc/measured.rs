//! The handles that each method is measured with, looked up once.

use super::methods::{METHODS, Method};
use crate::metrics::{CallMetrics, MethodMetrics};
use std::sync::OnceLock;

/// The label of whatever is called and is not served.
const UNLISTED: &str = "/unlisted/unlisted";

/// The handles of every method that was called so far.
pub(super) struct Measured {
    metrics: CallMetrics,
    /// In the order of the table of methods, and one more for what is not in it.
    methods: Box<[OnceLock<MethodMetrics>]>,
}

impl Measured {
    /// Nothing was called yet.
    pub(super) fn new(metrics: CallMetrics) -> Self {
        let methods = (0..=METHODS.len()).map(|_| OnceLock::new()).collect();
        Self { metrics, methods }
    }

    /// The handles of a method.
    pub(super) fn of(&self, method: Option<&'static Method>) -> &MethodMetrics {
        let place = method.and_then(|method| METHODS.element_offset(method));
        let place = place.unwrap_or(METHODS.len());
        self.methods[place].get_or_init(|| match method {
            Some(method) => self.metrics.of(method.path, method.streams),
            None => self.metrics.of(UNLISTED, false),
        })
    }

    /// Counts a limit that was met.
    pub(super) fn limit_hit(&self, limit: &'static str) {
        self.metrics.limit_hit(limit);
    }
}
