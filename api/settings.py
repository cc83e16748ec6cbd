"""What an operator may choose. Read once, when a command or create_app asks for it; never at import."""

from pathlib import Path

from platformdirs import user_data_path
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


def _default_data_dir() -> Path:
    return user_data_path("studievei", appauthor=False)


class Settings(BaseSettings):
    """Every setting is an environment variable with the prefix STUDIEVEI_, for example STUDIEVEI_DATA_DIR."""

    model_config = SettingsConfigDict(env_prefix="STUDIEVEI_", frozen=True)

    data_dir: Path = Field(default_factory=_default_data_dir)
    """Database, model, index and key live here."""
    database_url: str = ""
    """An SQLAlchemy URL; empty means SQLite in `data_dir`."""
    encoder: str = ""
    """Empty for the bundled model, or a model name, a folder, or the URL of an embeddings server."""
    reranker: str = ""
    """A cross-encoder (folder or hub name) with the last word on the order of the best hits. Empty: none."""
    public_url: str = "http://127.0.0.1:8000"
    """How the world reaches the server: links in e-mail and the address of each page start with it."""
    vault_key: SecretStr = SecretStr("")
    """The keys of the vault in base64, the newest first, instead of the file `vault.key` in `data_dir`."""
    smtp_url: str = ""
    """For example smtp://user:password@host:587?tls=starttls. Empty: mail is put as files in `data_dir`."""
    webhook_url: str = ""
    """Where mail is posted as JSON instead, signed with `webhook_secret`: an integration engine, say."""
    webhook_secret: SecretStr = SecretStr("")
    mail_from: str = "ikke-svar@studievei.invalid"
    oidc_issuer: str = ""
    """The OpenID provider to sign in with, such as HelseID or ID-porten. Empty: passwords only."""
    oidc_name: str = "OpenID"
    """What people call the provider; the button says it."""
    oidc_client: str = ""
    """The client id that the provider has given this server."""
    oidc_secret: SecretStr = SecretStr("")
    """The client secret, or the client's private key as a JWK (private_key_jwt, which HelseID demands)."""
    oidc_scope: str = "openid profile"
    oidc_acr: str = ""
    """Levels of assurance that are enough, with spaces between them, such as idporten-loa-high."""
    coordinator: str = ""
    """The e-mail address of whoever sees to it that studies answer. Empty: nobody is written to."""
    outbox_maximum: int = Field(default=10_000, ge=1)
    """Messages that may wait before a new interest is refused with a clear answer."""
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65_535)
    llm: str = ""
    """A chat model that may read facts and rephrase questions, such as ollama:llama3.2. Empty: none."""
    chat: bool = True
    """Whether /chat is served."""

    @property
    def database(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{self.data_dir / 'studievei.sqlite'}"

    @property
    def index_dir(self) -> Path:
        """Where the search index lies."""
        return self.data_dir / "index"

    @property
    def ontology_dir(self) -> Path:
        """Where a hospital may put tables of its own, named and made like those of ontology/concepts/."""
        return self.data_dir / "ontology"

    @property
    def key_file(self) -> Path:
        """The keys of the vault; whoever has them can read what people left with us."""
        return self.data_dir / "vault.key"

    @property
    def mail_dir(self) -> Path:
        """Where mail is dropped as files when there is no mail server."""
        return self.data_dir / "mail"

    @property
    def openid(self) -> str:
        """What the button to the OpenID provider says, "" without a provider."""
        return self.oidc_name if self.oidc_issuer and self.oidc_client else ""

    @property
    def base(self) -> str:
        """`public_url` without a slash at the end."""
        return self.public_url.rstrip("/")
