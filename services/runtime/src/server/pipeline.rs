//! What happens to every request before and after its handler, in one place and in order.

use std::{
    convert::Infallible,
    net::SocketAddr,
    panic::AssertUnwindSafe,
    task::{Context, Poll},
};

use futures::{FutureExt as _, future::BoxFuture};
use http::{Request, Response, header::AUTHORIZATION};
use http_body_util::BodyExt as _;
use tonic::{Status, body::Body, service::Routes};
use tower_layer::Layer;
use tower_service::Service;
use tracing::Instrument as _;

use super::{Actor, limits::Limits, rpc_span::Call};
use crate::{
    problem::Problem,
    security::{Security, audit::Record},
};

/// Puts a [`Pipeline`] around the routes of a server.
#[derive(Clone, Debug)]
pub(super) struct PipelineLayer {
    limits: Limits,
    security: Security,
    service: &'static str,
    local: SocketAddr,
}

impl PipelineLayer {
    pub(super) fn new(limits: Limits, security: Security, service: &'static str, local: SocketAddr) -> Self {
        Self {
            limits,
            security,
            service,
            local,
        }
    }
}

impl Layer<Routes> for PipelineLayer {
    type Service = Pipeline;

    fn layer(&self, routes: Routes) -> Pipeline {
        Pipeline {
            layer: self.clone(),
            routes,
        }
    }
}

/// trace → panic → deadline → shed → who calls and may they → handler.
#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    layer: PipelineLayer,
    routes: Routes,
}

impl Service<Request<Body>> for Pipeline {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Routes are always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Self { layer, mut routes } = self.clone();
        if is_plumbing(request.uri().path()) {
            return async move { routes.call(request).await }.boxed();
        }
        let (service, local) = (layer.service, layer.local);
        async move {
            let path = request.uri().path();
            let call = Call::begin(path, request.headers(), service, local);
            let response = AssertUnwindSafe(within_limits(layer, routes, request))
                .catch_unwind()
                .instrument(call.span.clone())
                .await
                .unwrap_or_else(|_| call.span.in_scope(panicked));
            call.end(&response);
            Ok(response)
        }
        .boxed()
    }
}

/// Deadline, place, caller, handler. The handler of a unary method ends with the whole response in memory, so the deadline
/// need not outlive it; the place is kept until the last of a stream has gone.
async fn within_limits(layer: PipelineLayer, mut routes: Routes, mut request: Request<Body>) -> Response<Body> {
    let PipelineLayer { limits, security, .. } = layer;
    let deadline = limits.deadline(request.headers());
    let place = match limits.admit() {
        Ok(place) => place,
        Err(status) => return status.into_http(),
    };
    let method = request.uri().path().trim_start_matches('/').to_owned();
    let admitted = match security.admit(&method, request.headers(), request.extensions()).await {
        Ok(admitted) => admitted,
        Err(problem) => return Status::from(problem).into_http(),
    };
    let mut record = Record::new(security, method, &admitted);
    // Nobody further in has a use for it, and what nobody has nobody logs.
    request.headers_mut().remove(AUTHORIZATION);
    request.extensions_mut().insert(Actor(admitted.actor));
    request.extensions_mut().insert(admitted.caller);
    request.extensions_mut().insert(deadline);
    let response = match deadline.bound(routes.call(request)).await {
        Ok(Ok(response)) => response,
        Ok(Err(never)) => match never {},
        Err(_) => {
            let problem = Problem::deadline_exceeded("the deadline of the request is over");
            Status::from(problem).into_http()
        }
    };
    record.answered(response.headers());
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _held = &place;
            frame
        }))
    })
}

/// The panic hook has printed message and place; the caller learns only that it was our fault.
fn panicked() -> Response<Body> {
    Status::from(Problem::internal("the handler panicked")).into_http()
}

/// Health and reflection stay reachable under load and are not worth a trace.
fn is_plumbing(path: &str) -> bool {
    path.starts_with("/grpc.health.") || path.starts_with("/grpc.reflection.")
}
