//! The door of a server: who calls, and may they? Refusals say as little as the caller needs.

use std::{net::SocketAddr, sync::Arc};

use http::{Extensions, HeaderMap, header::AUTHORIZATION};
use tonic::transport::server::TcpConnectInfo;

use super::{
    Security, audit, cache,
    caller::{Caller, Via},
    listener::Peer,
    policy::{Permission, Policy, Roles},
    token::{self, TokenFault},
};
use crate::{
    problem::{Kind, Problem},
    server::ACTOR_METADATA,
    text,
};

const SCHEME: &str = "bearer ";

/// A caller who may come in.
pub(crate) struct Admitted {
    pub(crate) caller: Caller,
    /// The name under which the handler acts for them; a service acts for nobody.
    pub(crate) actor: Option<Arc<str>>,
    /// Where they call from.
    pub(crate) peer: Option<SocketAddr>,
    /// The call is told to the audit log when it is answered.
    pub(crate) audited: bool,
}

/// Why somebody stays outside: what they are told, and what the audit log says.
struct Refusal(Problem, String);

impl Security {
    /// Lets the caller of `method` (`package.Service/Method`) in or says why not.
    pub(crate) async fn admit(
        &self,
        method: &str,
        headers: &HeaderMap,
        extensions: &Extensions,
    ) -> Result<Admitted, Problem> {
        let peer = address(extensions);
        if !self.asks() {
            let loopback = peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback());
            let claimed = headers.get(ACTOR_METADATA).filter(|_| loopback);
            let name = claimed
                .and_then(|claim| text::key(claim.to_str().ok()?).ok())
                .map(Arc::from);
            let (_, rule) = Policy::shipped().decide(method, Roles::default());
            return Ok(Admitted {
                caller: Caller::unasked(name.clone()),
                actor: name,
                peer,
                // Where nobody but the machine itself can call there is nobody to be told of.
                audited: self.settings().insecure && rule.is_some_and(|rule| rule.audit),
            });
        }
        let known = self.identify(headers, extensions).await;
        let permitted = known.and_then(|caller| permitted(method, caller, peer, headers));
        permitted.map_err(|(caller, Refusal(problem, reason))| {
            audit::refused(self, method, caller.as_ref(), peer, &reason);
            problem
        })
    }

    /// A token is stronger than the certificate of the connection: a gateway with a certificate passes people on.
    async fn identify(
        &self,
        headers: &HeaderMap,
        extensions: &Extensions,
    ) -> Result<Caller, (Option<Caller>, Refusal)> {
        let holder = || extensions.get::<Peer>().and_then(|peer| peer.holder.clone());
        match bearer(headers) {
            Ok(Some(token)) => self.verified(token).await.map_err(|reason| (None, unknown(reason))),
            Ok(None) => holder().ok_or_else(|| (None, unknown("no token and no certificate".to_owned()))),
            Err(reason) => Err((None, unknown(reason.to_owned()))),
        }
    }

    async fn verified(&self, token: &str) -> Result<Caller, String> {
        let now = self.now();
        let hash = cache::hash(token);
        if let Some(caller) = self.cache().get(&hash, now) {
            return Ok(caller);
        }
        let mut state = self.state();
        let mut verified = token::verify(token, &state.issuers, now);
        if let Err(TokenFault::Key) = verified {
            // The issuer may have a new one.
            self.providers().ask().await;
            state = self.state();
            verified = token::verify(token, &state.issuers, now);
        }
        let verified = verified.map_err(|fault| format!("the token: {fault}"))?;
        let caller = verified.caller.clone();
        self.remember(&state, hash, verified, now);
        Ok(caller)
    }
}

fn permitted(
    method: &str,
    mut caller: Caller,
    peer: Option<SocketAddr>,
    headers: &HeaderMap,
) -> Result<Admitted, (Option<Caller>, Refusal)> {
    let (permission, rule) = Policy::shipped().decide(method, caller.roles);
    if permission == Permission::No {
        let reason = rule.map_or("the method has no rule", |_| "no role that may call it");
        let text = format!("you may not call {method}");
        let problem = Problem::permission_denied("METHOD_NOT_ALLOWED", text).with("method", method);
        return Err((Some(caller), Refusal(problem, reason.to_owned())));
    }
    let actor: Option<Arc<str>> = match caller.via {
        _ if caller.is_any_service() => None,
        Via::Token => Some(Arc::clone(&caller.name)),
        Via::Certificate | Via::Nothing => text::key(&caller.name).ok().map(Arc::from),
    };
    let claimed = headers
        .get(ACTOR_METADATA)
        .map(|claim| claim.to_str().ok().and_then(|claim| text::key(claim).ok()));
    if claimed.is_some_and(|claimed| claimed.as_deref() != actor.as_deref()) {
        let text = format!("{ACTOR_METADATA} names somebody else than your credentials do");
        let problem = Problem::permission_denied("ACTOR_NOT_YOU", text);
        return Err((Some(caller), Refusal(problem, "acts as somebody else".to_owned())));
    }
    caller.own_only = permission == Permission::Own;
    Ok(Admitted {
        caller,
        actor,
        peer,
        audited: rule.is_some_and(|rule| rule.audit),
    })
}

/// The one answer to everybody who cannot be known, so that nobody learns how to be.
fn unknown(reason: String) -> Refusal {
    let text = "a valid bearer token or client certificate is required";
    Refusal(Problem::new(Kind::Unauthenticated, "UNAUTHENTICATED", text), reason)
}

/// The token of the request, if it brings exactly one.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, &'static str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err("more than one authorization");
    }
    let value = value.to_str().map_err(|_| "an authorization that is no text")?;
    let (scheme, token) = value
        .split_at_checked(SCHEME.len())
        .ok_or("an authorization without a token")?;
    if !scheme.eq_ignore_ascii_case(SCHEME) {
        return Err("an authorization that is no bearer token");
    }
    Ok(Some(token))
}

fn address(extensions: &Extensions) -> Option<SocketAddr> {
    let encrypted = extensions.get::<Peer>().map(|peer| peer.address);
    encrypted.or_else(|| extensions.get::<TcpConnectInfo>()?.remote_addr())
}
