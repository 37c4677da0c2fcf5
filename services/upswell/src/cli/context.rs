//! What a client command needs: channels to the services, who asks, and how to answer.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use tonic::{Request, Response, Status, metadata::MetadataValue};
use upswell_runtime::{
    client::{self, ClientSettings, Peers, Traced},
    problem::{Kind, Problem},
    server::ACTOR_METADATA,
};

use super::{
    Global,
    output::{self, Listing, Output, View},
    pages::{Limit, PagedRequest, PagedResponse},
};
use crate::settings::Settings;

/// Rows a page.
const PAGE: usize = 500;

/// One invocation of a client command.
pub(super) struct Context {
    client: ClientSettings,
    peers: Peers,
    actor: Option<String>,
    addresses: BTreeMap<String, String>,
    output: Output,
}

impl Context {
    /// Reads the settings; nothing is connected before the first question. Needs a tokio runtime.
    pub(super) fn new(global: &Global) -> Result<Self> {
        let settings = Settings::load(global.config.as_deref(), std::env::vars())?;
        Ok(Self {
            peers: Peers::new(&settings.peers, &settings.client)?,
            client: settings.client,
            addresses: settings.peers,
            actor: global.actor.clone(),
            output: global.output,
        })
    }

    /// Who acts, where the command makes no sense without one.
    pub(super) fn actor(&self) -> Result<&str> {
        self.actor
            .as_deref()
            .context("say who you are: --actor NAME, or the environment variable UPSWELL_ACTOR")
    }

    /// A channel to a service.
    pub(super) fn channel(&self, service: &'static str) -> Result<Traced> {
        Ok(self.peers.channel(service)?)
    }

    /// Writes the answer.
    pub(super) fn show(&self, view: &impl View) -> Result<()> {
        output::show(self.output, view)
    }

    /// Asks one RPC, with a deadline, and again where nothing was done.
    pub(super) async fn ask<Q, R, F, Fut>(&self, service: &'static str, request: Q, send: F) -> Result<R>
    where
        Q: Clone,
        F: Fn(Traced, Request<Q>) -> Fut,
        Fut: Future<Output = Result<Response<R>, Status>>,
    {
        let channel = self.peers.channel(service)?;
        let mut acting = self.acting()?;
        let attempt = || {
            let mut request = Request::new(request.clone());
            if let Some(actor) = &mut acting {
                request.metadata_mut().insert(ACTOR_METADATA, actor.clone());
            }
            send(channel.clone(), request)
        };
        client::call(&self.client, service, attempt)
            .await
            .map_err(|problem| self.explained(service, problem))
    }

    /// Asks a `List…` RPC until its last page or the limit.
    pub(super) async fn list<Q, P, T, F, Fut>(
        &self,
        service: &'static str,
        limit: Limit,
        mut request: Q,
        send: F,
    ) -> Result<Listing<T>>
    where
        Q: PagedRequest,
        P: PagedResponse,
        T: From<P::Row> + Serialize,
        F: Fn(Traced, Request<Q>) -> Fut,
        Fut: Future<Output = Result<Response<P>, Status>>,
    {
        let limit = limit.rows();
        let mut items = Vec::new();
        loop {
            let size = PAGE.min(limit - items.len());
            request.size(i32::try_from(size)?);
            let (rows, token) = self.ask(service, request.clone(), &send).await?.split();
            items.extend(rows.into_iter().map(T::from));
            if token.is_empty() || items.len() >= limit {
                return Ok(Listing {
                    items,
                    more: !token.is_empty(),
                });
            }
            request.after(token);
        }
    }

    fn acting(&self) -> Result<Option<MetadataValue<tonic::metadata::Ascii>>> {
        let Some(actor) = &self.actor else { return Ok(None) };
        match actor.parse() {
            Ok(value) => Ok(Some(value)),
            Err(_) => bail!("--actor {actor:?}: only printable ASCII, e.g. anna@example.com"),
        }
    }

    /// A service that is away is the most frequent fault, so it says what to do.
    fn explained(&self, service: &str, problem: Problem) -> anyhow::Error {
        let away = problem.kind() == Kind::Unavailable && problem.reason() == "PEER_UNAVAILABLE";
        let address = self.addresses.get(service).map_or("?", String::as_str);
        let error = anyhow::Error::new(problem);
        if away {
            return error.context(format!(
                "{service} does not answer at {address}; start it with `upswell serve all`, or name its address under \
                 [peers] in a file for --config",
            ));
        }
        error
    }
}
