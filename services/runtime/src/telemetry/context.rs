//! The W3C trace context, as it travels in RPC metadata and in the columns of the outbox.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, Ordering},
};

use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator as _},
    trace::TraceContextExt as _,
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use serde::{Deserialize, Serialize};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Metadata key and column of the W3C parent.
pub const TRACEPARENT: &str = "traceparent";
/// Metadata key and column of the vendors' state.
pub const TRACESTATE: &str = "tracestate";

/// False when the environment names other propagators only.
static PROPAGATES: AtomicBool = AtomicBool::new(true);

/// Whether contexts leave the process and are continued here.
pub(super) fn propagate(does: bool) {
    PROPAGATES.store(does, Ordering::Relaxed);
}

/// How the work on an event hangs on the work which wrote it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutboxTrace {
    /// A trace of its own with a link back: the conventions' default, right for batches.
    #[default]
    Link,
    /// One long trace from the first request to the last effect: for demonstrations.
    Parent,
}

/// `traceparent` and `tracestate`; both empty when nothing is traced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceContext {
    /// `00-<trace id>-<span id>-<flags>` or empty.
    pub traceparent: String,
    /// Vendors' state or empty.
    pub tracestate: String,
}

impl TraceContext {
    /// The context of the current span; empty without OpenTelemetry.
    pub fn current() -> Self {
        Self::of(&Span::current())
    }

    /// The context of `span`; empty without OpenTelemetry.
    pub fn of(span: &Span) -> Self {
        let context = span.context();
        if !context.span().span_context().is_valid() || !PROPAGATES.load(Ordering::Relaxed) {
            return Self::default();
        }
        let mut carrier = Carrier::default();
        TraceContextPropagator::new().inject_context(&context, &mut carrier);
        let mut take = |key| carrier.0.remove(key).unwrap_or_default();
        Self {
            traceparent: take(TRACEPARENT),
            tracestate: take(TRACESTATE),
        }
    }

    /// True when there is nothing to continue.
    pub fn is_empty(&self) -> bool {
        self.traceparent.is_empty()
    }

    /// The 32 hexadecimal digits of the trace, if any.
    pub fn trace_id(&self) -> Option<&str> {
        self.traceparent.split('-').nth(1)
    }

    /// Makes `span` a child of this context; call it before the span is entered.
    pub fn set_parent(&self, span: &Span) {
        // The result only says that no OpenTelemetry layer listens, and then nothing is lost.
        if let Some(context) = self.to_otel() {
            drop(span.set_parent(context));
        }
    }

    /// Links `span` to this context.
    pub fn add_link(&self, span: &Span) {
        if let Some(context) = self.to_otel() {
            span.add_link(context.span().span_context().clone());
        }
    }

    /// Hangs the work on an event on the work which wrote it, as configured.
    pub fn adopt(&self, span: &Span, mode: OutboxTrace) {
        match mode {
            OutboxTrace::Link => self.add_link(span),
            OutboxTrace::Parent => self.set_parent(span),
        }
    }

    fn to_otel(&self) -> Option<Context> {
        if self.is_empty() || !PROPAGATES.load(Ordering::Relaxed) {
            return None;
        }
        let carrier = Carrier(HashMap::from([
            (TRACEPARENT.to_owned(), self.traceparent.clone()),
            (TRACESTATE.to_owned(), self.tracestate.clone()),
        ]));
        let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier);
        let is_valid = context.span().span_context().is_valid();
        is_valid.then_some(context)
    }
}

#[derive(Default)]
struct Carrier(HashMap<String, String>);

impl Injector for Carrier {
    fn set(&mut self, key: &str, value: String) {
        self.0.insert(key.to_owned(), value);
    }
}

impl Extractor for Carrier {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}
