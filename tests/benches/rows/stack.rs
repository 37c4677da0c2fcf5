//! G1: what every request pays for: the layers of a real server around an echo, beside the bare echo.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, ensure};
use tokio_util::sync::CancellationToken;
use tonic::{
    Request, Response, Status, async_trait,
    service::Routes,
    transport::{Server, server::TcpIncoming},
};
use upswell_proto::delivery::v1::{
    DeliverRequest, DeliverResponse,
    delivery_service_client::DeliveryServiceClient,
    delivery_service_server::{DeliveryService, DeliveryServiceServer},
};
use upswell_runtime::server::{self, ServerSettings};

use crate::{
    Bench,
    arrivals::{Op, Outcome, closed},
    channels::Channels,
    sheet::{Line, Samples, Target},
};

const IN_FLIGHT: usize = 64;

struct Echo;

#[async_trait]
impl DeliveryService for Echo {
    async fn deliver(&self, _: Request<DeliverRequest>) -> Result<Response<DeliverResponse>, Status> {
        Ok(Response::new(DeliverResponse::default()))
    }
}

pub(super) async fn run(bench: &mut Bench) -> Result<()> {
    let (bare, layered) = (bare().await?, layered().await?);
    let (bare, layered) = (
        call(Channels::open(&bare).await?),
        call(Channels::open(&layered).await?),
    );
    let [mut ours, mut limit, mut one] = [const { Samples(Vec::new()) }; 3];
    for _ in 0..bench.options.repetitions() {
        ours.push(rate(&layered, IN_FLIGHT, bench.options.span()).await?);
        limit.push(rate(&bare, IN_FLIGHT, bench.options.span()).await?);
        one.push(rate(&layered, 1, bench.options.span()).await?);
    }
    let line = Line::of(
        "G1",
        "unary echo behind trace, panic, deadline, shed and actor, 64 in flight",
        &ours,
        "calls/s",
    );
    let line = line.beside("bare tonic echo", &ours, &limit, Target::AtLeast(0.7));
    bench.sheet.add(line.note(format!(
        "1 in flight: {:.0}/s; client and server in one process, on loopback without certificates",
        one.median()
    )));
    Ok(())
}

async fn bare() -> Result<String> {
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse()?)?.with_nodelay(Some(true));
    let url = format!("http://{}", incoming.local_addr().context("no address")?);
    let service = DeliveryServiceServer::new(Echo);
    tokio::spawn(Server::builder().add_service(service).serve_with_incoming(incoming));
    Ok(url)
}

async fn layered() -> Result<String> {
    let bound = server::bind(&ServerSettings::default()).await?;
    let url = format!("http://{}", bound.local_addr());
    let health = server::health_reporter().await;
    let routes = Routes::new(DeliveryServiceServer::new(Echo));
    tokio::spawn(bound.serve(routes, health, CancellationToken::new()));
    Ok(url)
}

fn call(channels: Channels) -> Op {
    Arc::new(move |number| {
        let mut client = DeliveryServiceClient::new(channels.of(number));
        Box::pin(async move {
            let answer = client.deliver(DeliverRequest::default()).await;
            answer.map_or(Outcome::Failed, |_| Outcome::Done(1))
        })
    })
}

async fn rate(call: &Op, in_flight: usize, span: Duration) -> Result<f64> {
    let load = closed(in_flight, span, call).await;
    ensure!(load.failed == 0, "{} calls failed", load.failed);
    Ok(load.rate())
}
