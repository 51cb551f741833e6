//! Requests that look up one member of a chat.

use std::{future::IntoFuture, pin::Pin};

use crate::{
    api::{GetMembers, types::ChatMember},
    client::{bot::Bot, request::call_options},
    error::Result,
    id::{ChatId, UserId},
};

/// A request that looks up a member of a chat. Created by [`Bot::member`].
#[derive(Debug, Clone)]
#[must_use = "a request does nothing until it is awaited or sent"]
pub struct GetMember {
    request: GetMembers,
    user: UserId,
}

call_options!(GetMember, request.options, "`true`, because the request only reads data.");

impl GetMember {
    pub(super) fn new(bot: &Bot, chat: ChatId, user: UserId) -> Self {
        Self { request: bot.api().get_members(chat).user_ids([user]), user }
    }

    /// Sends the request, and returns the member. `request.await` is a shorter form of `request.send().await`.
    ///
    /// Returns `None` if the user is not a member, or if the member in the response cannot be parsed as a
    /// [`ChatMember`]. In the second case, the reason is logged.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Api::get_members`](crate::api::Api::get_members).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the request is canceled. The request only reads data, so nothing changes on the
    /// server.
    pub async fn send(self) -> Result<Option<ChatMember>> {
        let members = self.request.send().await?.members;
        Ok(members.into_iter().find(|member| member.user_id == self.user))
    }
}

impl IntoFuture for GetMember {
    type Output = Result<Option<ChatMember>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// A request that checks whether a user is an administrator or the owner of a chat. Created by [`Bot::is_admin`].
#[derive(Debug, Clone)]
#[must_use = "a request does nothing until it is awaited or sent"]
pub struct IsAdmin {
    member: GetMember,
}

call_options!(IsAdmin, member.request.options, "`true`, because the request only reads data.");

impl IsAdmin {
    pub(super) fn new(member: GetMember) -> Self {
        Self { member }
    }

    /// Sends the request, and returns whether the user is an administrator or the owner. `request.await` is a shorter
    /// form of `request.send().await`.
    ///
    /// Returns `false` if the user is not a member, or if the member in the response cannot be parsed as a
    /// [`ChatMember`]. In the second case, the reason is logged.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Api::get_members`](crate::api::Api::get_members).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the request is canceled. The request only reads data, so nothing changes on the
    /// server.
    pub async fn send(self) -> Result<bool> {
        Ok(self.member.send().await?.is_some_and(|member| member.is_admin || member.is_owner))
    }
}

impl IntoFuture for IsAdmin {
    type Output = Result<bool>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
