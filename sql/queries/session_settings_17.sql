-- Sets what PostgreSQL has from 17 on: a limit that is meant for people, as that of an idle session.
SET transaction_timeout = 0
