//! Sessions: begun, carried on by refresh tokens, ended.

use chrono::TimeDelta;
use serde_json::json;

use super::Desk;
use crate::error::{Code, Result};
use crate::identity::keys::ACCESS_TOKEN_LIFE;
use crate::identity::model::{AccountId, EndReason, Session, SessionId, Tokens};
use crate::identity::{Caller, store};
use crate::platform::columns::Uid;
use crate::platform::db::Tx;
use crate::platform::journal::{Actor, Change};
use crate::platform::token::{digest, random_token};

/// How long a refresh token that was just used may come back without suspicion.
const REFRESH_LEEWAY: TimeDelta = TimeDelta::seconds(10);

impl Desk<'_> {
    pub(super) async fn begin_session(&self, account: AccountId, device: String) -> Result<Tokens> {
        let refresh = random_token()?;
        let hash = digest(refresh.as_bytes());
        let id = SessionId::new();
        let life = TimeDelta::days(self.rules.refresh_days);
        self.platform
            .db
            .write(move |tx| {
                let now = tx.now;
                let session = Session {
                    id,
                    account_id: account,
                    device: device.clone(),
                    created_at: now,
                    last_used_at: now,
                    ended_at: None,
                    end_reason: None,
                };
                store::insert_session(tx.conn, &session)?;
                store::insert_refresh_token(tx.conn, &hash, id, now, now + life)?;
                tx.journal(Change::new(
                    Actor::Account(Uid(account.0)),
                    "session.begun",
                    id.0,
                ))
            })
            .await?;
        self.tokens(account, id, refresh).await
    }

    /// Trades a refresh token for the next one. A used one that comes back was stolen, or its
    /// successor was: the whole session ends. Of requests that send the same token at once, as an
    /// application with two windows does, one wins and the others are refused without more.
    pub async fn refresh(&self, token: String) -> Result<Tokens> {
        let next = random_token()?;
        let (old_hash, next_hash) = (digest(token.as_bytes()), digest(next.as_bytes()));
        let life = TimeDelta::days(self.rules.refresh_days);
        let session = self
            .platform
            .db
            .write(move |tx| {
                let now = tx.now;
                let Some(known) = store::refresh_token(tx.conn, &old_hash)? else {
                    return Ok(None);
                };
                let Session {
                    id,
                    account_id,
                    ended_at,
                    ..
                } = known.session;
                if ended_at.is_some() || known.expires_at <= now {
                    return Ok(None);
                }
                let used_at = known.used_at;
                if used_at.is_some_and(|at| now - at < REFRESH_LEEWAY) {
                    return Err(Code::RefreshTokenUsed.into());
                }
                if used_at.is_some() {
                    store::end_session(tx.conn, account_id, id, EndReason::TokenReused, now)?;
                    let whose = json!({ "account_id": account_id });
                    tx.journal(
                        Change::new(Actor::System, "session.token_reused", id.0).payload(whose),
                    )?;
                    return Ok(None); // committed: the session has ended
                }
                if !store::use_refresh_token(tx.conn, &old_hash, now)? {
                    return Err(Code::RefreshTokenUsed.into()); // by another request this moment
                }
                store::insert_refresh_token(tx.conn, &next_hash, id, now, now + life)?;
                store::touch_session(tx.conn, id, now)?;
                Ok(Some((account_id, id)))
            })
            .await?;
        let (account, session) = session.ok_or(Code::SessionEnded)?;
        self.tokens(account, session, next).await
    }

    async fn tokens(
        &self,
        account: AccountId,
        session: SessionId,
        refresh_token: String,
    ) -> Result<Tokens> {
        Ok(Tokens {
            access_token: self.keyring.sign(account, session).await?,
            token_type: "Bearer".to_owned(),
            expires_in: ACCESS_TOKEN_LIFE.num_seconds(),
            refresh_token,
        })
    }
}

pub(in crate::identity) fn end_session(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: SessionId,
    why: EndReason,
) -> Result<()> {
    if store::end_session(tx.conn, caller.account, id, why, tx.now)? {
        tx.journal(Change::new(caller.actor(), "session.ended", id.0))?;
    }
    Ok(())
}
