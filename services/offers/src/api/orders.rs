//! `OrderService`.

use tonic::{Request, Response, Status};
use upswell_proto::offers::v1::{self as pb, order_service_server::OrderService};
use upswell_runtime::{db::micros, problem::Problem};

use super::{Api, Cursor, account_filter, convert, uuid};
use crate::{error::OfferError, store::answers};

const LIST: &str = "upswell.offers.v1.OrderService/ListOrders";

#[tonic::async_trait]
impl OrderService for Api {
    async fn get_order(&self, request: Request<pb::GetOrderRequest>) -> Result<Response<pb::GetOrderResponse>, Status> {
        let pb::GetOrderRequest { order_id } = request.into_inner();
        let found = answers::order_fetch(self.0.db.reader(), uuid("order_id", &order_id)?).await?;
        let order = found.ok_or_else(|| Problem::from(OfferError::OrderNotFound(order_id)))?;
        Ok(Response::new(pb::GetOrderResponse {
            order: Some(convert::order(&order)),
        }))
    }

    async fn list_orders(
        &self,
        request: Request<pb::ListOrdersRequest>,
    ) -> Result<Response<pb::ListOrdersResponse>, Status> {
        let pb::ListOrdersRequest {
            account_id,
            page_size,
            page_token,
        } = request.into_inner();
        let account_id = account_filter(&account_id)?;
        let cursor = Cursor::parse(LIST, account_id.clone().into_bytes(), page_size, &page_token)?;
        let reader = self.0.db.reader();
        let mut found = answers::order_list(reader, &account_id, cursor.after, cursor.limit()).await?;
        let next_page_token = cursor.cut(&mut found, |order| (micros(order.placed_at), order.id));
        let orders = found.iter().map(convert::order).collect();
        Ok(Response::new(pb::ListOrdersResponse {
            orders,
            next_page_token,
        }))
    }
}
