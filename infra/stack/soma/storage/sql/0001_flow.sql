create table sessions (
    id text primary key,
    created_at timestamptz not null default now()
);

create table messages (
    id uuid primary key,
    position bigint generated always as identity unique,
    session_id text not null references sessions (id),
    role text not null check (role in ('user', 'assistant')),
    text text not null,
    reply_to uuid unique references messages (id),
    failed_at timestamptz,
    created_at timestamptz not null default now(),
    check ((role = 'assistant') = (reply_to is not null))
);
create index messages_of_session on messages (session_id, position);

-- What is to be told to a stream. A row is due again until its effect has settled it.
create table outbox (
    id bigint generated always as identity primary key,
    envelope_id uuid not null unique,
    stream text not null,
    body jsonb not null,
    sends integer not null default 0,
    due_at timestamptz not null default now(),
    settled_at timestamptz,
    created_at timestamptz not null default now()
);
create index outbox_due on outbox (due_at, id) where settled_at is null;

create table memories (
    session_id text not null,
    message_id uuid not null,
    position bigint generated always as identity,
    text text not null,
    created_at timestamptz not null default now(),
    primary key (session_id, message_id)
);
create index memories_of_session on memories (session_id, position);

create table tasks (
    id uuid primary key,
    steps text[] not null check (cardinality(steps) > 0),
    results text[] not null default '{}' check (cardinality(results) <= cardinality(steps)),
    failed_at timestamptz,
    created_at timestamptz not null default now(),
    changed_at timestamptz not null default now()
);
