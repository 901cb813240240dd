//! The process, as Linux tells it under `/proc`; elsewhere only when it began. The names are those that every
//! exporter for Prometheus has for these.

use crate::domain::time::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// How many ticks a second has in `/proc/self/stat`: part of Linux's interface, whatever the kernel's own.
const TICKS: f64 = 100.0;

/// Tells what the process takes from the machine.
#[derive(Debug, Clone, Default)]
pub struct ProcessMetrics {
    began: Arc<AtomicI64>,
}

impl ProcessMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register_collector(Box::new(self.clone()));
    }

    /// The service began at this moment.
    pub fn began(&self, at: Timestamp) {
        self.began.store(at.as_micros(), Ordering::Relaxed);
    }
}

impl Collector for ProcessMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut gauge = |name, help, unit: Option<&Unit>, value: f64| {
            let metric = encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?;
            ConstGauge::new(value).encode(metric)
        };
        let began = self.began.load(Ordering::Relaxed);
        gauge(
            "process_start_time",
            "When the service was started, since 1970.",
            Some(&Unit::Seconds),
            seconds(began),
        )?;
        if let Some(bytes) = resident_bytes() {
            let help = "Memory that the process has in use.";
            gauge("process_resident_memory", help, Some(&Unit::Bytes), bytes)?;
        }
        if let Some(open) = open_files() {
            let help = "Files and connections that are open.";
            gauge("process_open_fds", help, None, open)?;
        }
        if let Some(most) = most_files() {
            let help = "How many files and connections may be open.";
            gauge("process_max_fds", help, None, most)?;
        }
        if let Some(used) = cpu_seconds() {
            let metric = encoder.encode_descriptor(
                "process_cpu",
                "Time that the process has had processors for.",
                Some(&Unit::Seconds),
                MetricType::Counter,
            )?;
            ConstCounter::new(used).encode(metric)?;
        }
        Ok(())
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a microsecond more or less is not seen"
)]
fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

/// The number behind `VmRSS:` in `/proc/self/status`, which is told in KiB.
fn resident_bytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1_024.0)
}

fn open_files() -> Option<f64> {
    // The directory that is being read is open as well.
    let open = fs::read_dir("/proc/self/fd")
        .ok()?
        .count()
        .saturating_sub(1);
    Some(u32::try_from(open).ok()?.into())
}

/// The soft limit; `None` also where there is none.
fn most_files() -> Option<f64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// User and system time: fields 14 and 15 of `/proc/self/stat`, counted behind the name in parentheses.
fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, behind_name) = stat.rsplit_once(") ")?;
    let mut ticks = behind_name.split(' ').skip(11).map(str::parse::<f64>);
    Some((ticks.next()?.ok()? + ticks.next()?.ok()?) / TICKS)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn linux_tells_what_the_process_takes() {
        let before = open_files().unwrap();
        let one_more = fs::File::open("/proc/self/status").unwrap();
        assert!(resident_bytes().unwrap() > 1e6);
        assert!(cpu_seconds().unwrap() >= 0.0);
        assert!(most_files().is_none_or(|most| most >= before));
        // Other tests open and close files meanwhile.
        assert!(open_files().unwrap() >= 1.0);
        drop(one_more);
    }
}
