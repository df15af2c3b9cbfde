"""Every setting once: typed, documented, frozen. Read from ``RETURNS_API_*`` and nowhere else.

Only ``wiring``, ``reading``, ``app``, ``cli`` and ``demo`` may read these; everything below gets
values. The table in docs/operations.md is made from ``settings_table``. Two variables stand outside
because they act before settings exist or in a process that has none: RETURNS_API_CRASHPOINT is
read by ``crashpoints`` too, at import.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from returns_api import crashpoints
from returns_api.secret_key import decode_key, kept_key

PREFIX: Final = "RETURNS_API_"


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


def _database(value: SecretStr) -> SecretStr:
    """Both spellings of the scheme are common; asyncpg knows the first."""
    text = value.get_secret_value()
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in {"postgresql", "postgres", "postgresql+asyncpg"}:
        raise ValueError("a database address begins with postgresql://")
    return SecretStr(f"postgresql://{rest}")


def _http(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("an address begins with http:// or https:// and names a host")
    return value.rstrip("/")


def _store(value: str) -> str:
    if urlsplit(value).scheme not in {"file", "s3"}:
        raise ValueError("a store of photos begins with file:// or s3://")
    return value


DatabaseAddress = Annotated[SecretStr, AfterValidator(_database)]
HttpAddress = Annotated[str, AfterValidator(_http)]
Port = Annotated[int, Field(ge=1, le=65535)]


class Settings(BaseSettings):
    """What the operator decides; ``None`` means the default that the description names."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    environment: Environment = Field(
        Environment.DEVELOPMENT,
        description="`development` starts what is missing and allows local addresses; "
        "`production` refuses to run without its own database and secret key.",
    )
    database_url: DatabaseAddress | None = Field(
        None,
        description="PostgreSQL (15 or newer) as the service's own role; unset: an embedded one.",
    )
    owner_database_url: DatabaseAddress | None = Field(
        None,
        description="The same database as its owner, for migrations only; unset: `database_url`.",
    )
    data_dir: Path = Field(
        Path(".data"),
        description="Folder for the embedded database, the generated secret and the run file.",
    )
    embedded_user: str | None = Field(
        None,
        description="The user that runs the embedded database when started by root; unset: "
        "`nobody`.",
    )
    pg_bin: str | None = Field(
        None,
        description="Folder with initdb and postgres for the embedded database; unset: those of "
        "the `embedded` extra, then those on PATH.",
    )
    host: str = Field("127.0.0.1", description="Address the API listens on.")
    port: Port = Field(8080, description="Port the API listens on.")
    public_url: HttpAddress | None = Field(
        None, description="How others reach the API, for links; unset: host and port."
    )
    trusted_proxies: str = Field(
        "",
        description="Addresses or networks, comma-separated, whose X-Forwarded-For is believed.",
    )
    secret_key: SecretStr | None = Field(
        None,
        description="Seals the providers' secrets in the database: 32 bytes, base64url. Unset in "
        "development: made once into `data_dir/secret.key`. Losing it loses those secrets.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level that is logged."
    )
    api_pool_size: int = Field(
        10, ge=1, le=200, description="Most database connections of one API process."
    )
    worker_pool_size: int = Field(
        10, ge=2, le=200, description="Most database connections of one worker process."
    )
    worker_concurrency: int = Field(
        20, ge=1, le=500, description="Most jobs that one worker runs at once."
    )
    worker_memory_mb: int | None = Field(
        None,
        ge=256,
        description="Most memory (address space, in megabytes) of one worker process: a job that "
        "wants more fails alone; unset: what the system gives.",
    )
    lease_seconds: float = Field(
        45.0,
        ge=1,
        le=600,
        description="How long a worker may be silent before another takes over; above the 30 s "
        "that the slowest call outside may take.",
    )
    shutdown_seconds: float = Field(
        25.0, gt=0, le=300, description="How long work in flight may take after SIGTERM."
    )
    max_body_bytes: int = Field(
        1_000_000, ge=1_000, le=50_000_000, description="Largest request body; beyond it, 413."
    )
    photo_max_bytes: int = Field(
        12_000_000, ge=1_000, le=100_000_000, description="Largest photo; beyond it, 413."
    )
    photo_max_pixels: int = Field(
        50_000_000,
        ge=10_000,
        le=200_000_000,
        description="Most pixels of a photo, looked at before it is decoded.",
    )
    photo_store: Annotated[str, AfterValidator(_store)] | None = Field(
        None,
        description="Where photos lie: `file:///folder`, or `s3://bucket/folder` of any store that "
        "speaks S3; unset: `data_dir/photos`. Every process must reach the same one.",
    )
    s3_endpoint: HttpAddress | None = Field(
        None, description="Address of the S3 store; unset: Amazon's."
    )
    s3_region: str | None = Field(
        None, description="Region of the S3 store; unset: `AWS_REGION`, then us-east-1."
    )
    s3_access_key_id: str | None = Field(
        None, description="Key of the S3 store; unset: what the `AWS_*` variables or the role say."
    )
    s3_secret_access_key: SecretStr | None = Field(None, description="The secret of that key.")
    allow_private_webhook_targets: bool = Field(
        False,
        description="Send webhooks to loopback and private addresses too; development only.",
    )
    bank_url: HttpAddress | None = Field(
        None, description="The built-in bank, in place of the real payment provider's address."
    )
    carrier_url: HttpAddress | None = Field(
        None, description="The built-in carrier, in place of the real carrier's address."
    )
    otel: bool = Field(
        False, description="Export traces (needs the `otel` extra and OTEL_* variables)."
    )
    clock_file: Path | None = Field(
        None,
        description="A file with the seconds by which the service's time is ahead, for demos that"
        " let days pass; development only.",
    )
    crashpoint: str = Field(
        "", description="`NAME` or `NAME:n`: die there, for tests (see crashpoints.py)."
    )

    @field_validator("crashpoint")
    @classmethod
    def _known_crashpoint(cls, value: str) -> str:
        crashpoints.parse(value)
        return value

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            decode_key(value.get_secret_value())
        return value

    @model_validator(mode="after")
    def _production_is_strict(self) -> Self:
        if self.environment is not Environment.PRODUCTION:
            return self
        missing = [name for name in ("database_url", "secret_key") if getattr(self, name) is None]
        if missing:
            names = ", ".join(PREFIX + name.upper() for name in missing)
            raise ValueError(f"production needs {names}")
        for name in ("allow_private_webhook_targets", "clock_file", "crashpoint"):
            if getattr(self, name):
                raise ValueError(f"{PREFIX}{name.upper()} is for development only")
        return self

    @property
    def production(self) -> bool:
        return self.environment is Environment.PRODUCTION

    @property
    def base_url(self) -> str:
        """How others reach the API, without a slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    @property
    def app_address(self) -> str:
        """The database as the service's role. Raises: ValueError while none is known."""
        if self.database_url is None:
            raise ValueError(f"{PREFIX}DATABASE_URL is not set and no database was started")
        return self.database_url.get_secret_value()

    @property
    def owner_address(self) -> str:
        """The database as its owner, for migrations."""
        if self.owner_database_url is None:
            return self.app_address
        return self.owner_database_url.get_secret_value()

    @property
    def photo_store_url(self) -> str:
        """Where photos lie."""
        return self.photo_store or (self.data_dir / "photos").absolute().as_uri()

    @property
    def s3_options(self) -> dict[str, str]:
        """What the S3 store is told, as far as it is set."""
        secret = self.s3_secret_access_key
        found = {
            "endpoint": self.s3_endpoint,
            "region": self.s3_region,
            "access_key_id": self.s3_access_key_id,
            "secret_access_key": None if secret is None else secret.get_secret_value(),
        }
        return {name: value for name, value in found.items() if value is not None}

    def key(self) -> bytes:
        """The 32 bytes that seal secrets; in development made once and kept beside the data."""
        if self.secret_key is not None:
            return decode_key(self.secret_key.get_secret_value())
        return kept_key(self.data_dir / "secret.key")

    def with_(self, **changes: Any) -> Settings:
        """A copy with other values, validated like the first."""
        return Settings(**{**self.model_dump(), **changes})

    def environment_variables(self) -> dict[str, str]:
        """These settings as variables, for a child process that is to see the same."""
        found = {}
        for name, value in self.model_dump().items():
            if value is None or value == "":
                continue
            plain = value.get_secret_value() if isinstance(value, SecretStr) else value
            found[PREFIX + name.upper()] = str(plain)
        return found


def settings_table() -> str:
    """The settings as a Markdown table, for docs/operations.md."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default in {None, ""} else f"`{field.default!s}`"
        lines.append(f"| `{PREFIX}{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"
