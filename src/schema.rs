//! All tables, as both databases have them; a test compares this file with what each reports.
//!
//! `Id`, `Instant` and `Json` are the column types of [`crate::platform::columns::sql`].

#![allow(missing_docs)]

use diesel::{allow_tables_to_appear_in_same_query, joinable, table};

// ---- platform
table! {
    use crate::platform::columns::sql::{Id, Instant, Json};
    use diesel::sql_types::{BigInt, Nullable, Text};
    journal (seq) {
        txid -> BigInt,
        seq -> BigInt,
        at -> Instant,
        actor_kind -> Text,
        actor_id -> Nullable<Id>,
        kind -> Text,
        subject_kind -> Text,
        subject_id -> Id,
        region_id -> Nullable<Id>,
        from_state -> Nullable<Text>,
        to_state -> Nullable<Text>,
        reason -> Nullable<Text>,
        payload -> Json,
    }
}
table! {
    use diesel::sql_types::{BigInt, Text};
    journal_cursors (reader) {
        reader -> Text,
        txid -> BigInt,
        seq -> BigInt,
    }
}
table! {
    use crate::platform::columns::sql::{Id, Instant, Json};
    use diesel::sql_types::{Integer, Nullable, Text};
    jobs (id) {
        id -> Id,
        kind -> Text,
        payload -> Json,
        status -> Text,
        run_at -> Instant,
        attempts -> Integer,
        leased_until -> Nullable<Instant>,
        last_error -> Nullable<Text>,
        created_at -> Instant,
    }
}
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::Text;
    file_uploads (id, file) {
        id -> Id,
        file -> Text,
        began_at -> Instant,
    }
}
table! {
    use crate::platform::columns::sql::Instant;
    use diesel::sql_types::Text;
    file_removals (file) {
        file -> Text,
        began_at -> Instant,
    }
}
table! {
    use crate::platform::columns::sql::{Id, Instant, Json};
    use diesel::sql_types::{Binary, Text};
    idempotency_keys (owner_id, key) {
        owner_id -> Id,
        key -> Text,
        fingerprint -> Binary,
        answer -> Json,
        created_at -> Instant,
    }
}

// ---- regions
table! {
    use crate::platform::columns::sql::Id;
    use diesel::sql_types::{BigInt, Date, Double, Integer, Nullable, Text};
    regions (id) {
        id -> Id,
        code -> Text,
        name -> Text,
        level -> Text,
        parent_id -> Nullable<Id>,
        population -> Nullable<BigInt>,
        longitude -> Nullable<Double>,
        latitude -> Nullable<Double>,
        valid_from -> Date,
        valid_to -> Nullable<Date>,
        version -> Integer,
    }
}
table! {
    use crate::platform::columns::sql::Id;
    use diesel::sql_types::Integer;
    region_ancestors (region_id, ancestor_id) {
        region_id -> Id,
        ancestor_id -> Id,
        distance -> Integer,
    }
}
table! {
    use crate::platform::columns::sql::{Id, Json};
    use diesel::sql_types::Double;
    region_polygons (region_id) {
        region_id -> Id,
        geometry -> Json,
        area_m2 -> Double,
        west -> Double,
        south -> Double,
        east -> Double,
        north -> Double,
    }
}
joinable!(region_ancestors -> regions (region_id));
joinable!(region_polygons -> regions (region_id));

// ---- identity
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Integer, Nullable, Text};
    accounts (id) {
        id -> Id,
        phone -> Nullable<Text>,
        email -> Nullable<Text>,
        password_hash -> Nullable<Text>,
        display_name -> Text,
        language -> Text,
        status -> Text,
        version -> Integer,
        created_at -> Instant,
    }
}
table! {
    use crate::platform::columns::sql::Instant;
    use diesel::sql_types::Text;
    sign_ups (email) {
        email -> Text,
        password_hash -> Text,
        display_name -> Text,
        language -> Text,
        created_at -> Instant,
    }
}
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Nullable, Text};
    sessions (id) {
        id -> Id,
        account_id -> Id,
        device -> Text,
        created_at -> Instant,
        last_used_at -> Instant,
        ended_at -> Nullable<Instant>,
        end_reason -> Nullable<Text>,
    }
}
joinable!(sessions -> accounts (account_id));
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Binary, Nullable};
    refresh_tokens (token_hash) {
        token_hash -> Binary,
        session_id -> Id,
        issued_at -> Instant,
        expires_at -> Instant,
        used_at -> Nullable<Instant>,
    }
}
joinable!(refresh_tokens -> sessions (session_id));
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Binary, Integer, Nullable, Text};
    one_time_codes (id) {
        id -> Id,
        purpose -> Text,
        target -> Text,
        code_hash -> Binary,
        attempts -> Integer,
        created_at -> Instant,
        expires_at -> Instant,
        consumed_at -> Nullable<Instant>,
    }
}
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::Binary;
    signing_keys (id) {
        id -> Id,
        sealed -> Binary,
        public_key -> Binary,
        created_at -> Instant,
    }
}
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Nullable, Text};
    role_grants (id) {
        id -> Id,
        account_id -> Id,
        role -> Text,
        scope_kind -> Text,
        scope_id -> Nullable<Id>,
        granted_by -> Nullable<Id>,
        granted_at -> Instant,
        revoked_by -> Nullable<Id>,
        revoked_at -> Nullable<Instant>,
    }
}
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Nullable, Text};
    consents (id) {
        id -> Id,
        account_id -> Id,
        purpose -> Text,
        text_version -> Text,
        channel -> Text,
        given_at -> Instant,
        withdrawn_at -> Nullable<Instant>,
    }
}
joinable!(consents -> accounts (account_id));

// ---- notifications
table! {
    use crate::platform::columns::sql::{Id, Instant, Json};
    use diesel::sql_types::{Nullable, Text};
    notifications (id) {
        id -> Id,
        account_id -> Id,
        kind -> Text,
        subject_kind -> Text,
        subject_id -> Id,
        params -> Json,
        created_at -> Instant,
        read_at -> Nullable<Instant>,
    }
}
joinable!(notifications -> accounts (account_id));
table! {
    use crate::platform::columns::sql::Id;
    use diesel::sql_types::{Bool, Text};
    notification_preferences (account_id, kind) {
        account_id -> Id,
        kind -> Text,
        mail -> Bool,
    }
}
joinable!(notification_preferences -> accounts (account_id));
table! {
    use crate::platform::columns::sql::Id;
    use diesel::sql_types::Integer;
    quiet_hours (account_id) {
        account_id -> Id,
        from_minute -> Integer,
        to_minute -> Integer,
    }
}
joinable!(quiet_hours -> accounts (account_id));

// ---- wishes
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{BigInt, Binary, Date, Double, Integer, Nullable, Text};
    wishes (id) {
        id -> Id,
        region_id -> Id,
        author_id -> Id,
        beneficiary_id -> Nullable<Id>,
        contact -> Binary,
        consent_channel -> Text,
        alias -> Text,
        beneficiary_group -> Text,
        life_cycle -> Text,
        kind -> Text,
        title -> Text,
        description -> Text,
        value_fen -> Nullable<BigInt>,
        longitude -> Nullable<Double>,
        latitude -> Nullable<Double>,
        expires_on -> Nullable<Date>,
        status -> Text,
        status_since -> Instant,
        due_at -> Nullable<Instant>,
        fulfilled_by -> Nullable<Text>,
        fulfilled_at -> Nullable<Instant>,
        version -> Integer,
        created_at -> Instant,
        submitted_at -> Nullable<Instant>,
        published_at -> Nullable<Instant>,
    }
}
joinable!(wishes -> regions (region_id));
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Nullable, Text};
    wish_claims (id) {
        id -> Id,
        wish_id -> Id,
        claimant_id -> Id,
        claimed_at -> Instant,
        lease_until -> Instant,
        ended_at -> Nullable<Instant>,
        outcome -> Nullable<Text>,
        organization_id -> Nullable<Id>,
    }
}
joinable!(wish_claims -> organizations (organization_id));
joinable!(wish_claims -> wishes (wish_id));
joinable!(wish_claims -> accounts (claimant_id));
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::Text;
    wish_evidence (id) {
        id -> Id,
        wish_id -> Id,
        claim_id -> Id,
        photo -> Text,
        thumbnail -> Text,
        created_at -> Instant,
    }
}
joinable!(wish_evidence -> wishes (wish_id));
joinable!(wish_evidence -> wish_claims (claim_id));
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Nullable, Text};
    wish_messages (id) {
        id -> Id,
        wish_id -> Id,
        claim_id -> Id,
        author_id -> Nullable<Id>,
        body -> Text,
        created_at -> Instant,
    }
}
joinable!(wish_messages -> wishes (wish_id));
joinable!(wish_messages -> wish_claims (claim_id));
joinable!(wish_messages -> accounts (author_id));

// ---- volunteers
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Date, Integer, Nullable, Text};
    volunteers (account_id) {
        account_id -> Id,
        region_id -> Id,
        introduction -> Text,
        birth_date -> Nullable<Date>,
        version -> Integer,
        created_at -> Instant,
        updated_at -> Instant,
    }
}
joinable!(volunteers -> accounts (account_id));
joinable!(volunteers -> regions (region_id));
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Integer, Nullable, Text};
    volunteer_skills (account_id, skill) {
        account_id -> Id,
        skill -> Text,
        level -> Integer,
        verified_by -> Nullable<Id>,
        verified_at -> Nullable<Instant>,
    }
}
joinable!(volunteer_skills -> volunteers (account_id));
table! {
    use crate::platform::columns::sql::Id;
    use diesel::sql_types::Text;
    volunteer_interests (account_id, life_cycle) {
        account_id -> Id,
        life_cycle -> Text,
    }
}
joinable!(volunteer_interests -> volunteers (account_id));
table! {
    use crate::platform::columns::sql::Id;
    use diesel::sql_types::Integer;
    volunteer_windows (account_id, weekday, from_minute) {
        account_id -> Id,
        weekday -> Integer,
        from_minute -> Integer,
        to_minute -> Integer,
    }
}
joinable!(volunteer_windows -> volunteers (account_id));
table! {
    use crate::platform::columns::sql::Id;
    use diesel::sql_types::{Double, Integer, Text};
    volunteer_places (id) {
        id -> Id,
        account_id -> Id,
        label -> Text,
        longitude -> Double,
        latitude -> Double,
        radius_m -> Integer,
    }
}
joinable!(volunteer_places -> volunteers (account_id));
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Binary, Date, Nullable, Text};
    qualifications (id) {
        id -> Id,
        account_id -> Id,
        kind -> Text,
        number -> Binary,
        issued_on -> Date,
        expires_on -> Nullable<Date>,
        status -> Text,
        reviewed_by -> Nullable<Id>,
        reviewed_at -> Nullable<Instant>,
        reason -> Nullable<Text>,
        created_at -> Instant,
        number_hash -> Nullable<Binary>,
        document -> Nullable<Text>,
        notice_on -> Nullable<Date>,
    }
}
joinable!(qualifications -> volunteers (account_id));
joinable!(qualifications -> accounts (reviewed_by));

// ---- organizations
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Binary, Date, Double, Integer, Nullable, Text};
    organizations (id) {
        id -> Id,
        kind -> Text,
        name -> Text,
        region_id -> Id,
        field -> Nullable<Text>,
        introduction -> Text,
        credit_code -> Nullable<Text>,
        credit_code_reason -> Nullable<Text>,
        registering_code -> Nullable<Text>,
        responsible_id -> Nullable<Id>,
        responsible_number -> Nullable<Binary>,
        venue_address -> Nullable<Text>,
        venue_region_id -> Nullable<Id>,
        venue_until -> Nullable<Date>,
        longitude -> Nullable<Double>,
        latitude -> Nullable<Double>,
        status -> Text,
        status_since -> Instant,
        curing_until -> Nullable<Instant>,
        founder_id -> Id,
        version -> Integer,
        created_at -> Instant,
        published_at -> Nullable<Instant>,
    }
}
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{BigInt, Text};
    organization_documents (id) {
        id -> Id,
        organization_id -> Id,
        kind -> Text,
        file -> Text,
        content_type -> Text,
        size -> BigInt,
        uploaded_by -> Id,
        created_at -> Instant,
    }
}
joinable!(organization_documents -> organizations (organization_id));
joinable!(organization_documents -> accounts (uploaded_by));
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Nullable, Text};
    organization_members (id) {
        id -> Id,
        organization_id -> Id,
        account_id -> Id,
        name -> Text,
        role -> Text,
        status -> Text,
        invited_by -> Id,
        invited_at -> Instant,
        expires_at -> Instant,
        joined_at -> Nullable<Instant>,
        ended_at -> Nullable<Instant>,
    }
}
joinable!(organization_members -> organizations (organization_id));

// ---- party
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Integer, Nullable, Text};
    party_branches (id) {
        id -> Id,
        code -> Text,
        name -> Text,
        region_id -> Id,
        parent_id -> Nullable<Id>,
        status -> Text,
        version -> Integer,
        created_at -> Instant,
    }
}
joinable!(party_branches -> regions (region_id));
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Binary, Nullable, Text};
    party_memberships (id) {
        id -> Id,
        account_id -> Id,
        branch_id -> Id,
        consent_id -> Id,
        standing -> Nullable<Binary>,
        status -> Text,
        reason -> Nullable<Binary>,
        decided_by -> Nullable<Id>,
        decided_at -> Nullable<Instant>,
        created_at -> Instant,
    }
}
joinable!(party_memberships -> party_branches (branch_id));
joinable!(party_memberships -> consents (consent_id));

// ---- projects
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Integer, Text};
    campaigns (id) {
        id -> Id,
        region_id -> Id,
        name -> Text,
        introduction -> Text,
        created_by -> Id,
        version -> Integer,
        created_at -> Instant,
    }
}
joinable!(campaigns -> regions (region_id));
joinable!(campaigns -> accounts (created_by));
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Integer, Text};
    batches (id) {
        id -> Id,
        campaign_id -> Id,
        name -> Text,
        opens_at -> Instant,
        closes_at -> Instant,
        status -> Text,
        version -> Integer,
        created_at -> Instant,
    }
}
joinable!(batches -> campaigns (campaign_id));
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Bool, Date, Double, Integer, Nullable, Text};
    projects (id) {
        id -> Id,
        batch_id -> Nullable<Id>,
        region_id -> Id,
        organization_id -> Nullable<Id>,
        author_id -> Id,
        title -> Text,
        summary -> Text,
        field -> Text,
        life_cycle -> Text,
        beneficiary_group -> Nullable<Text>,
        risk_notice -> Text,
        minors -> Bool,
        dangerous -> Bool,
        party_only -> Bool,
        insurance_policy -> Nullable<Text>,
        insurance_from -> Nullable<Date>,
        insurance_until -> Nullable<Date>,
        claim_mode -> Text,
        allows_person -> Bool,
        claim_seats -> Integer,
        starts_on -> Date,
        ends_on -> Date,
        longitude -> Nullable<Double>,
        latitude -> Nullable<Double>,
        status -> Text,
        status_since -> Instant,
        version -> Integer,
        created_at -> Instant,
        published_at -> Nullable<Instant>,
    }
}
joinable!(projects -> batches (batch_id));
joinable!(projects -> regions (region_id));
joinable!(projects -> organizations (organization_id));
joinable!(projects -> accounts (author_id));
table! {
    use crate::platform::columns::sql::{Id, Json};
    use diesel::sql_types::{Integer, Nullable, Text};
    project_roles (id) {
        id -> Id,
        project_id -> Id,
        place -> Integer,
        name -> Text,
        seats -> Integer,
        qualification -> Nullable<Text>,
        skills -> Json,
        hours -> Json,
    }
}
joinable!(project_roles -> projects (project_id));
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{BigInt, Integer, Nullable, Text};
    project_claims (id) {
        id -> Id,
        project_id -> Id,
        organization_id -> Nullable<Id>,
        person_id -> Nullable<Id>,
        applied_by -> Id,
        proposal -> Text,
        status -> Text,
        status_since -> Instant,
        seat -> Nullable<Integer>,
        lease_until -> Nullable<Instant>,
        plan -> Nullable<Text>,
        report -> Nullable<Text>,
        people_served -> Nullable<BigInt>,
        ended_at -> Nullable<Instant>,
        version -> Integer,
        created_at -> Instant,
    }
}
joinable!(project_claims -> projects (project_id));
joinable!(project_claims -> organizations (organization_id));
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::Text;
    claim_progress (id) {
        id -> Id,
        claim_id -> Id,
        author_id -> Id,
        body -> Text,
        created_at -> Instant,
    }
}
joinable!(claim_progress -> project_claims (claim_id));
joinable!(claim_progress -> accounts (author_id));
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Bool, Nullable, Text};
    claim_photos (id) {
        id -> Id,
        claim_id -> Id,
        progress_id -> Nullable<Id>,
        in_report -> Bool,
        photo -> Text,
        thumbnail -> Text,
        created_at -> Instant,
    }
}
joinable!(claim_photos -> project_claims (claim_id));
joinable!(claim_photos -> claim_progress (progress_id));
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Nullable, Text};
    crew_members (id) {
        id -> Id,
        claim_id -> Id,
        role_id -> Id,
        account_id -> Id,
        note -> Text,
        status -> Text,
        status_since -> Instant,
        ended_at -> Nullable<Instant>,
        created_at -> Instant,
    }
}
joinable!(crew_members -> project_claims (claim_id));
joinable!(crew_members -> project_roles (role_id));
joinable!(crew_members -> accounts (account_id));

// ---- activities
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::Bool;
    activity_policies (region_id) {
        region_id -> Id,
        review -> Bool,
        set_by -> Id,
        set_at -> Instant,
    }
}
table! {
    use crate::platform::columns::sql::{Id, Instant, Json};
    use diesel::sql_types::{Integer, Text};
    activity_series (id) {
        id -> Id,
        author_id -> Id,
        rule -> Text,
        exdates -> Json,
        rdates -> Json,
        version -> Integer,
        created_at -> Instant,
    }
}
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Bool, Date, Double, Integer, Nullable, Text};
    activities (id) {
        id -> Id,
        series_id -> Nullable<Id>,
        recurs_at -> Nullable<Instant>,
        project_id -> Nullable<Id>,
        claim_id -> Nullable<Id>,
        organization_id -> Nullable<Id>,
        leader_id -> Nullable<Id>,
        author_id -> Id,
        region_id -> Id,
        title -> Text,
        summary -> Text,
        life_cycle -> Text,
        place -> Text,
        meeting_point -> Text,
        longitude -> Nullable<Double>,
        latitude -> Nullable<Double>,
        risk_notice -> Text,
        minors -> Bool,
        dangerous -> Bool,
        party_only -> Bool,
        insurance_policy -> Nullable<Text>,
        insurance_from -> Nullable<Date>,
        insurance_until -> Nullable<Date>,
        min_age -> Nullable<Integer>,
        max_age -> Nullable<Integer>,
        volunteers_region_id -> Nullable<Id>,
        starts_at -> Instant,
        ends_at -> Instant,
        enrolment_opens_at -> Nullable<Instant>,
        enrolment_closes_at -> Instant,
        withdrawal_hours -> Integer,
        changed_at -> Nullable<Instant>,
        held_up_at -> Nullable<Instant>,
        began_at -> Nullable<Instant>,
        news -> Integer,
        status -> Text,
        status_since -> Instant,
        reason -> Nullable<Text>,
        version -> Integer,
        created_at -> Instant,
    }
}
table! {
    use crate::platform::columns::sql::{Id, Instant, Json};
    use diesel::sql_types::{Bool, Integer, Nullable, Text};
    activity_shifts (id) {
        id -> Id,
        activity_id -> Id,
        place -> Integer,
        name -> Text,
        starts_at -> Instant,
        ends_at -> Instant,
        seats -> Integer,
        taken -> Integer,
        queued -> Integer,
        held -> Nullable<Bool>,
        qualification -> Nullable<Text>,
        skills -> Json,
        counted_for -> Nullable<Instant>,
    }
}
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Bool, Integer, Nullable, Text};
    enrolments (id) {
        id -> Id,
        activity_id -> Id,
        shift_id -> Id,
        account_id -> Id,
        invited_by -> Nullable<Id>,
        status -> Text,
        status_since -> Instant,
        holds_seat -> Bool,
        starts_at -> Instant,
        ends_at -> Instant,
        queue_no -> Nullable<Integer>,
        skipped_at -> Nullable<Instant>,
        accept_by -> Nullable<Instant>,
        ended_at -> Nullable<Instant>,
        reason -> Nullable<Text>,
        heard -> Integer,
        changed_at -> Nullable<Instant>,
        created_at -> Instant,
        remind_at -> Nullable<Instant>,
        reminded_hours -> Nullable<Integer>,
        reconfirmed_at -> Nullable<Instant>,
    }
}
joinable!(activity_shifts -> activities (activity_id));
joinable!(enrolments -> activities (activity_id));
joinable!(enrolments -> activity_shifts (shift_id));
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Binary, Nullable};
    calendars (id) {
        id -> Id,
        account_id -> Nullable<Id>,
        organization_id -> Nullable<Id>,
        secret_hash -> Binary,
        made_by -> Id,
        made_at -> Instant,
    }
}
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Bool, Integer, Nullable, Text};
    incidents (id) {
        id -> Id,
        activity_id -> Id,
        region_id -> Id,
        reporter_id -> Id,
        kind -> Text,
        severity -> Text,
        what -> Text,
        happened_at -> Instant,
        people -> Integer,
        concerns_organizer -> Bool,
        status -> Text,
        status_since -> Instant,
        outcome -> Nullable<Text>,
        created_at -> Instant,
    }
}
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::Text;
    incident_notes (id) {
        id -> Id,
        incident_id -> Id,
        author_id -> Id,
        written_as -> Text,
        body -> Text,
        created_at -> Instant,
    }
}
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::Text;
    incident_photos (id) {
        id -> Id,
        incident_id -> Id,
        author_id -> Id,
        photo -> Text,
        thumbnail -> Text,
        created_at -> Instant,
    }
}
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Integer, Nullable, Text};
    feedback (id) {
        id -> Id,
        enrolment_id -> Id,
        activity_id -> Id,
        organization_id -> Nullable<Id>,
        author_id -> Id,
        direction -> Text,
        organization -> Nullable<Integer>,
        safety -> Nullable<Integer>,
        meaning -> Nullable<Integer>,
        reliability -> Nullable<Integer>,
        comment -> Text,
        created_at -> Instant,
        changed_at -> Instant,
    }
}

// ---- attendance and service records
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Bool, Integer, Nullable, Text};
    attendances (id) {
        id -> Id,
        enrolment_id -> Id,
        activity_id -> Id,
        shift_id -> Id,
        account_id -> Id,
        status -> Text,
        status_since -> Instant,
        checked_in_at -> Nullable<Instant>,
        checked_out_at -> Nullable<Instant>,
        check_in_by -> Nullable<Text>,
        check_out_by -> Nullable<Text>,
        recorded_in_by -> Nullable<Id>,
        recorded_out_by -> Nullable<Id>,
        is_late_sent_in -> Bool,
        is_late_sent_out -> Bool,
        entry_in -> Nullable<Text>,
        entry_out -> Nullable<Text>,
        excuse -> Nullable<Text>,
        excuse_refused_at -> Nullable<Instant>,
        version -> Integer,
        created_at -> Instant,
    }
}
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Bool, Integer, Nullable, Text};
    service_records (id) {
        id -> Id,
        attendance_id -> Id,
        account_id -> Id,
        activity_id -> Id,
        shift_id -> Id,
        organization_id -> Nullable<Id>,
        project_id -> Nullable<Id>,
        region_id -> Id,
        track -> Text,
        status -> Text,
        status_since -> Instant,
        starts_at -> Nullable<Instant>,
        ends_at -> Nullable<Instant>,
        minutes -> Integer,
        capped_minutes -> Integer,
        is_credited -> Bool,
        confirmed_by -> Nullable<Text>,
        is_by_hand -> Bool,
        claimed_from -> Nullable<Instant>,
        claimed_until -> Nullable<Instant>,
        disputed_at -> Nullable<Instant>,
        appealed_at -> Nullable<Instant>,
        reason -> Nullable<Text>,
        reminded -> Integer,
        version -> Integer,
        created_at -> Instant,
    }
}
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Date, Integer, Nullable, Text};
    hour_entries (id) {
        id -> Id,
        record_id -> Id,
        account_id -> Id,
        day -> Date,
        kind -> Text,
        minutes -> Integer,
        counters_id -> Nullable<Id>,
        made_by -> Nullable<Id>,
        reason -> Nullable<Text>,
        made_at -> Instant,
    }
}
table! {
    use crate::platform::columns::sql::Id;
    use diesel::sql_types::{Date, Integer};
    service_days (account_id, day) {
        account_id -> Id,
        day -> Date,
        minutes -> Integer,
    }
}
table! {
    use crate::platform::columns::sql::Id;
    use diesel::sql_types::{Date, Integer, Text};
    hour_sums (scope, scope_id, track, day) {
        scope -> Text,
        scope_id -> Id,
        track -> Text,
        day -> Date,
        minutes -> Integer,
    }
}
joinable!(attendances -> activities (activity_id));
joinable!(attendances -> enrolments (enrolment_id));
joinable!(hour_entries -> service_records (record_id));
joinable!(service_records -> activities (activity_id));

// ---- matching
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Integer, Nullable, Text};
    recruitments (id) {
        id -> Id,
        need_kind -> Text,
        need_id -> Id,
        claim_id -> Nullable<Id>,
        started_by -> Id,
        organization_id -> Nullable<Id>,
        size -> Integer,
        hours -> Integer,
        note -> Text,
        max_waves -> Integer,
        wave -> Integer,
        status -> Text,
        status_since -> Instant,
        reason -> Nullable<Text>,
        due_at -> Nullable<Instant>,
        version -> Integer,
        created_at -> Instant,
    }
}
joinable!(recruitments -> project_claims (claim_id));
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Bool, Double, Integer, Nullable, Text};
    invitations (id) {
        id -> Id,
        need_kind -> Text,
        need_id -> Id,
        claim_id -> Nullable<Id>,
        recruitment_id -> Nullable<Id>,
        wave -> Integer,
        account_id -> Id,
        invited_by -> Id,
        organization_id -> Nullable<Id>,
        note -> Text,
        score -> Nullable<Double>,
        status -> Text,
        status_since -> Instant,
        expires_at -> Instant,
        reason -> Nullable<Text>,
        is_unheard -> Bool,
        created_at -> Instant,
    }
}
joinable!(invitations -> recruitments (recruitment_id));
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::Text;
    dismissed_needs (account_id, need_id) {
        account_id -> Id,
        need_kind -> Text,
        need_id -> Id,
        created_at -> Instant,
    }
}
joinable!(dismissed_needs -> accounts (account_id));
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::Nullable;
    invitation_blocks (id) {
        id -> Id,
        account_id -> Id,
        blocked_id -> Nullable<Id>,
        organization_id -> Nullable<Id>,
        created_at -> Instant,
    }
}
joinable!(invitation_blocks -> organizations (organization_id));

// ---- imports
table! {
    use crate::platform::columns::sql::{Id, Instant, Json};
    use diesel::sql_types::{BigInt, Nullable, Text};
    imports (id) {
        id -> Id,
        account_id -> Nullable<Id>,
        target -> Text,
        source -> Text,
        file_name -> Text,
        total -> BigInt,
        created -> BigInt,
        updated -> BigInt,
        unchanged -> BigInt,
        failed -> BigInt,
        errors -> Json,
        started_at -> Instant,
        ended_at -> Instant,
    }
}
joinable!(imports -> accounts (account_id));
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Binary, Integer, Nullable, Text};
    import_links (id) {
        id -> Id,
        target -> Text,
        source -> Text,
        external_key -> Text,
        subject_id -> Id,
        digest -> Binary,
        updated_at -> Instant,
        subject_version -> Nullable<Integer>,
    }
}

// ---- rounds
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Bool, Integer, Nullable, Text};
    rounds (id) {
        id -> Id,
        title -> Text,
        batch_id -> Nullable<Id>,
        region_id -> Id,
        people_region_id -> Id,
        with_wishes -> Bool,
        party_only -> Bool,
        places_per_person -> Integer,
        created_by -> Id,
        status -> Text,
        status_since -> Instant,
        plan_number -> Integer,
        is_edited -> Bool,
        failure -> Nullable<Text>,
        committed_by -> Nullable<Id>,
        answer_hours -> Integer,
        is_automatic -> Bool,
        resolves_left -> Integer,
        goes_on -> Bool,
        note -> Text,
        version -> Integer,
        created_at -> Instant,
    }
}
joinable!(rounds -> batches (batch_id));
joinable!(rounds -> regions (region_id));
joinable!(rounds -> accounts (created_by));
table! {
    use crate::platform::columns::sql::{Id, Instant, Json};
    use diesel::sql_types::{BigInt, Double, Integer, Nullable};
    round_plans (id) {
        id -> Id,
        round_id -> Id,
        number -> Nullable<Integer>,
        people -> Integer,
        needs -> Integer,
        pairs -> BigInt,
        assigned -> Integer,
        kept -> Integer,
        without_place -> Integer,
        free_places -> BigInt,
        total -> BigInt,
        kept_total -> BigInt,
        upper_bound -> Double,
        greedy_assigned -> Integer,
        greedy_total -> BigInt,
        seconds -> Double,
        weights_version -> Integer,
        weights -> Json,
        created_at -> Instant,
    }
}
joinable!(round_plans -> rounds (round_id));
table! {
    use crate::platform::columns::sql::{Id, Json};
    use diesel::sql_types::{Double, Integer, Nullable, Text};
    round_needs (plan_id, number) {
        plan_id -> Id,
        number -> Integer,
        need_kind -> Text,
        need_id -> Id,
        title -> Text,
        places -> Integer,
        assigned -> Integer,
        candidates -> Integer,
        price -> Double,
        reason -> Nullable<Text>,
        codes -> Json,
    }
}
joinable!(round_needs -> round_plans (plan_id));
table! {
    use crate::platform::columns::sql::{Id, Json};
    use diesel::sql_types::{Integer, Nullable, Text};
    round_people (plan_id, number) {
        plan_id -> Id,
        number -> Integer,
        account_id -> Id,
        pseudonym -> Text,
        places -> Integer,
        assigned -> Integer,
        candidates -> Integer,
        reason -> Nullable<Text>,
        codes -> Json,
    }
}
joinable!(round_people -> round_plans (plan_id));
joinable!(round_people -> accounts (account_id));
table! {
    use crate::platform::columns::sql::{Id, Json};
    use diesel::sql_types::{Bool, Double, Integer, Text};
    round_assignments (plan_id, number) {
        plan_id -> Id,
        number -> Integer,
        account_id -> Id,
        need_kind -> Text,
        need_id -> Id,
        title -> Text,
        score -> Double,
        factors -> Json,
        in_plan -> Bool,
        in_greedy -> Bool,
        in_former -> Bool,
        is_kept -> Bool,
    }
}
joinable!(round_assignments -> round_plans (plan_id));
joinable!(round_assignments -> accounts (account_id));
table! {
    use crate::platform::columns::sql::Id;
    use diesel::sql_types::{Binary, Integer, Text};
    round_columns (plan_id, name, part) {
        plan_id -> Id,
        name -> Text,
        part -> Integer,
        data -> Binary,
    }
}
joinable!(round_columns -> round_plans (plan_id));
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Nullable, Text};
    round_locks (id) {
        id -> Id,
        round_id -> Id,
        kind -> Text,
        account_id -> Nullable<Id>,
        need_kind -> Nullable<Text>,
        need_id -> Nullable<Id>,
        pseudonym -> Nullable<Text>,
        title -> Nullable<Text>,
        refusal -> Nullable<Text>,
        created_by -> Id,
        created_at -> Instant,
    }
}
joinable!(round_locks -> rounds (round_id));
joinable!(round_locks -> accounts (account_id));
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{Double, Integer, Nullable, Text};
    round_invitations (round_id, plan_number, number) {
        round_id -> Id,
        plan_number -> Integer,
        number -> Integer,
        account_id -> Id,
        need_kind -> Text,
        need_id -> Id,
        title -> Text,
        score -> Double,
        claim_id -> Nullable<Id>,
        invitation_id -> Nullable<Id>,
        code -> Nullable<Text>,
        status -> Text,
        status_since -> Instant,
    }
}
joinable!(round_invitations -> rounds (round_id));
joinable!(round_invitations -> accounts (account_id));
joinable!(round_invitations -> project_claims (claim_id));
// ---- search
table! {
    use crate::platform::columns::sql::{Id, Instant, Json};
    use diesel::sql_types::{BigInt, Integer, Nullable, Text};
    saved_searches (id) {
        id -> Id,
        account_id -> Id,
        name -> Text,
        criteria -> Json,
        txid -> BigInt,
        seq -> BigInt,
        told_at -> Nullable<Instant>,
        version -> Integer,
        created_at -> Instant,
    }
}
joinable!(saved_searches -> accounts (account_id));
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::Text;
    saved_search_finds (saved_search_id, subject_kind, subject_id) {
        saved_search_id -> Id,
        subject_kind -> Text,
        subject_id -> Id,
        told_at -> Instant,
    }
}
joinable!(saved_search_finds -> saved_searches (saved_search_id));
table! {
    use crate::platform::columns::sql::{Id, Instant};
    use diesel::sql_types::{BigInt, Bool, Text};
    search_news (txid, seq) {
        txid -> BigInt,
        seq -> BigInt,
        subject_kind -> Text,
        subject_id -> Id,
        noted_at -> Instant,
        moved_on -> Bool,
    }
}

allow_tables_to_appear_in_same_query!(
    journal,
    journal_cursors,
    jobs,
    file_uploads,
    file_removals,
    idempotency_keys,
    regions,
    region_ancestors,
    region_polygons,
    accounts,
    sign_ups,
    sessions,
    refresh_tokens,
    one_time_codes,
    signing_keys,
    role_grants,
    consents,
    notifications,
    notification_preferences,
    quiet_hours,
    wishes,
    wish_claims,
    wish_evidence,
    wish_messages,
    volunteers,
    volunteer_skills,
    volunteer_interests,
    volunteer_windows,
    volunteer_places,
    qualifications,
    organizations,
    organization_documents,
    organization_members,
    party_branches,
    party_memberships,
    campaigns,
    batches,
    projects,
    project_roles,
    project_claims,
    claim_progress,
    claim_photos,
    crew_members,
    activity_policies,
    activity_series,
    activities,
    activity_shifts,
    enrolments,
    calendars,
    incidents,
    incident_notes,
    incident_photos,
    feedback,
    attendances,
    service_records,
    hour_entries,
    service_days,
    hour_sums,
    recruitments,
    invitations,
    dismissed_needs,
    invitation_blocks,
    imports,
    import_links,
    rounds,
    round_plans,
    round_needs,
    round_people,
    round_assignments,
    round_columns,
    round_locks,
    round_invitations,
    saved_searches,
    saved_search_finds,
    search_news
);
