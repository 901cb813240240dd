//! Spans for a collector, by OTLP over gRPC.

use super::spans::{Bounded, Places, Told};
use crate::config::Traces;
use crate::metrics::TraceMetrics;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{
    ExporterBuildError, SpanExporter, WithExportConfig as _, WithTonicConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider,
};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};
use thiserror::Error;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

/// How many spans may be on their way: some megabytes.
const PLACES: usize = 2_048;

/// How many go in one message.
const BATCH: usize = 512;

/// How long a span waits for others to go with it.
const WAIT: Duration = Duration::from_secs(1);

/// How long a connection may take to stand, and how long the collector to take a batch.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why spans cannot be handed to a collector. The messages say how to mend it.
#[derive(Debug, Error)]
pub enum TracesRefused {
    /// The file with the authorities' certificates.
    #[error("[traces] ca_file: {0} cannot be read: {1}")]
    Authorities(PathBuf, io::Error),
    /// The address, or the authorities.
    #[error("[traces] {0}")]
    Endpoint(#[from] tonic::transport::Error),
    /// Variables `OTEL_…` that cannot be used.
    #[error("[traces] {0}")]
    Exporter(#[from] ExporterBuildError),
}

/// Hands spans to the collector, on a thread of its own.
#[derive(Debug)]
pub(super) struct Export(SdkTracerProvider);

impl Export {
    /// Begins. Must be called within a tokio runtime, which then carries the connection; connects when there is
    /// something to tell.
    pub(super) fn start(settings: &Traces, metrics: TraceMetrics) -> Result<Self, TracesRefused> {
        let exporter = SpanExporter::builder()
            .with_tonic()
            .with_channel(channel(settings)?)
            .with_timeout(PATIENCE)
            .build()?;
        let places = Arc::new(Places::new(PLACES, metrics));
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(PLACES)
            .with_max_export_batch_size(BATCH)
            .with_scheduled_delay(WAIT)
            .build();
        let batch = BatchSpanProcessor::new(Told::new(exporter, Arc::clone(&places)), batches);
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let provider = SdkTracerProvider::builder()
            .with_span_processor(Bounded::new(batch, places))
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(
                settings.ratio,
            ))))
            .with_resource(
                Resource::builder()
                    .with_service_name("relatch")
                    .with_attribute(version)
                    .build(),
            )
            .build();
        Ok(Self(provider))
    }

    /// Makes spans that go to the collector.
    pub(super) fn tracer(&self) -> SdkTracer {
        self.0.tracer("relatch")
    }

    /// Hands over what is still here, for so long at the most. Nothing more is taken afterwards.
    pub(super) async fn end(self, patience: Duration) {
        // It blocks, and the connection needs the runtime meanwhile.
        let ended = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(patience));
        if !matches!(ended.await, Ok(Ok(()))) {
            tracing::warn!("the collector did not take the last spans in time");
        }
    }
}

/// The connection, which is made when it is needed, and again when it was lost.
fn channel(settings: &Traces) -> Result<Channel, TracesRefused> {
    let endpoint = Endpoint::from_shared(settings.endpoint.clone())?
        .connect_timeout(PATIENCE)
        .timeout(PATIENCE);
    let trusted = match &settings.ca_file {
        None => ClientTlsConfig::new().with_native_roots(),
        Some(path) => {
            let pem =
                fs::read(path).map_err(|why| TracesRefused::Authorities(path.clone(), why))?;
            ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem))
        }
    };
    let is_https = endpoint.uri().scheme_str() == Some("https");
    let endpoint = if is_https {
        endpoint.tls_config(trusted)?
    } else {
        endpoint
    };
    Ok(endpoint.connect_lazy())
}
