-- What is settled is deleted after a while.
create index outbox_settled on outbox (settled_at) where settled_at is not null;
