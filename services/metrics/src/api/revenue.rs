//! Serves `upswell.metrics.v1.RevenueService`: revenue opened up, and the rates that it is told with.

mod convert;

use async_trait::async_trait;
use prost::Message as _;
use tonic::{Request, Response};
use upswell_proto::metrics::v1::{
    AccountRevenue as WireAccount, CohortMonth as WireMonth, CohortRevenue, ExchangeRate as WireRate,
    GetCohortsRequest, GetCohortsResponse, GetLtvRequest, GetLtvResponse, GetRevenueBreakdownRequest,
    GetRevenueBreakdownResponse, LifetimeValue, ListAccountRevenueRequest, ListAccountRevenueResponse,
    ListExchangeRatesRequest, ListExchangeRatesResponse, RecordExchangeRatesRequest, RecordExchangeRatesResponse,
    RevenueSlice, revenue_service_server::RevenueService,
};
use upswell_runtime::{
    money::{Currency, to_proto},
    problem::Problem,
};

use super::{
    Answer, Api, answers,
    convert::{wire_date, wire_time},
};
use crate::{
    app::Sliced,
    domain::{
        cohort::{Cohort, CohortMonth},
        lifetime::Lifetime,
    },
    store::{AccountRevenue, ExchangeRow},
};

#[async_trait]
impl RevenueService for Api {
    async fn get_revenue_breakdown(
        &self,
        request: Request<GetRevenueBreakdownRequest>,
    ) -> Answer<GetRevenueBreakdownResponse> {
        let (window, dimension) = convert::breakdown(request.into_inner())?;
        let found = self.app.breakdown(window, dimension).await?;
        Ok(Response::new(GetRevenueBreakdownResponse {
            slices: found.into_iter().flat_map(slices).collect(),
        }))
    }

    async fn list_account_revenue(
        &self,
        request: Request<ListAccountRevenueRequest>,
    ) -> Answer<ListAccountRevenueResponse> {
        let list = convert::AccountList::try_from(request.into_inner())?;
        let (accounts, last) = self
            .app
            .account_revenue(list.window, &list.asked, &list.after, list.size)
            .await?;
        Ok(Response::new(ListAccountRevenueResponse {
            accounts: accounts.into_iter().map(account).collect(),
            next_page_token: last.map(|last| list.next_token(&last)).unwrap_or_default(),
        }))
    }

    async fn get_cohorts(&self, request: Request<GetCohortsRequest>) -> Answer<GetCohortsResponse> {
        let (first, last) = convert::cohorts(request.into_inner())?;
        let cohorts = self.app.cohorts(first, last).await?;
        Ok(Response::new(GetCohortsResponse {
            cohorts: cohorts.into_iter().map(cohort).collect(),
        }))
    }

    async fn get_ltv(&self, request: Request<GetLtvRequest>) -> Answer<GetLtvResponse> {
        let convert::Ltv {
            windows,
            asked,
            margin,
            acquisition,
        } = convert::Ltv::try_from(request.into_inner())?;
        let values = self.app.lifetime(windows, &asked, margin, acquisition).await?;
        Ok(Response::new(GetLtvResponse {
            currencies: values.into_iter().map(lifetime).collect(),
        }))
    }

    async fn record_exchange_rates(
        &self,
        request: Request<RecordExchangeRatesRequest>,
    ) -> Answer<RecordExchangeRatesResponse> {
        let (once, rates) = convert::record(request.into_inner())?;
        let answer = |changed| {
            RecordExchangeRatesResponse {
                changed_count: i32::try_from(changed).unwrap_or(i32::MAX),
            }
            .encode_to_vec()
        };
        let bytes = self.app.record_exchange_rates(&once, rates, answer).await?;
        let response = RecordExchangeRatesResponse::decode(bytes.as_slice()).map_err(Problem::internal)?;
        Ok(Response::new(response))
    }

    async fn list_exchange_rates(
        &self,
        request: Request<ListExchangeRatesRequest>,
    ) -> Answer<ListExchangeRatesResponse> {
        let list = convert::RateList::try_from(request.into_inner())?;
        let (rates, last) = self
            .app
            .exchange_rates(list.currency, list.after.clone(), list.size)
            .await?;
        let next_page_token = last.map(|last| list.next_token(&last)).transpose()?;
        Ok(Response::new(ListExchangeRatesResponse {
            rates: rates.into_iter().map(rate).collect(),
            next_page_token: next_page_token.unwrap_or_default(),
        }))
    }
}

fn slices((value, currencies): Sliced) -> impl Iterator<Item = RevenueSlice> {
    currencies.into_iter().map(move |revenue| RevenueSlice {
        value: value.clone(),
        metrics: Some(answers::of_currency(revenue)),
    })
}

fn account(share: AccountRevenue) -> WireAccount {
    let AccountRevenue {
        account_id,
        mrr_start,
        mrr_end,
        totals,
    } = share;
    WireAccount {
        account_id,
        mrr_start: Some(to_proto(mrr_start)),
        mrr_end: Some(to_proto(mrr_end)),
        movements: totals.into_iter().map(answers::movement_total).collect(),
    }
}

fn cohort(cohort: Cohort) -> CohortRevenue {
    let Cohort {
        cohort,
        currency,
        accounts,
        mrr_first,
        months,
    } = cohort;
    CohortRevenue {
        cohort,
        currency_code: currency.to_string(),
        accounts,
        mrr_first: Some(to_proto(mrr_first)),
        months: months.into_iter().map(cohort_month).collect(),
    }
}

fn cohort_month(found: CohortMonth) -> WireMonth {
    let CohortMonth {
        age,
        month,
        paying,
        mrr,
        logo_retention,
        mrr_retention,
    } = found;
    WireMonth {
        age,
        month: Some(wire_date(month)),
        paying_accounts: paying,
        mrr: Some(to_proto(mrr)),
        logo_retention,
        mrr_retention,
    }
}

fn lifetime((currency, value, before): (Currency, Lifetime, Option<Lifetime>)) -> LifetimeValue {
    let revenue_change = before.as_ref().and_then(|before| value.change_since(before));
    let Lifetime {
        arpa,
        monthly_churn,
        months,
        revenue,
        margin,
        to_cac,
    } = value;
    LifetimeValue {
        currency_code: currency.to_string(),
        arpa: arpa.map(to_proto),
        monthly_churn,
        lifetime_months: months,
        revenue: revenue.map(to_proto),
        margin: margin.map(to_proto),
        ltv_to_cac: to_cac,
        revenue_before: before.and_then(|before| before.revenue).map(to_proto),
        revenue_change,
    }
}

fn rate(row: ExchangeRow) -> WireRate {
    let ExchangeRow {
        currency,
        quote,
        day,
        rate,
        recorded_at,
    } = row;
    WireRate {
        currency_code: currency.to_string(),
        quote_code: quote.to_string(),
        date: Some(wire_date(day)),
        rate: rate.to_string(),
        record_time: Some(wire_time(recorded_at)),
    }
}
