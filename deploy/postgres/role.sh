#!/bin/sh
# The role and the database of the service, made once, before PostgreSQL listens: Odoo needs no superuser, and no right to
# make databases.
set -eu
psql --username postgres --set ON_ERROR_STOP=1 --set password="$(cat /run/secrets/database_password)" <<'SQL'
CREATE ROLE odoo LOGIN PASSWORD :'password';
CREATE DATABASE proxy OWNER odoo TEMPLATE template0 ENCODING 'UTF8';
SQL
