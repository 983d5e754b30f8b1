# One image, three commands: migrate, the web server (default) and the worker. compose.yaml starts all of them.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PROFITPEEK_ENV=production \
    PROFITPEEK_VAR=/data \
    STATIC_ROOT=/app/collected-static \
    EMBEDDED_POSTGRES=off \
    PORT=8000

RUN groupadd --system --gid 10001 profitpeek \
 && useradd --system --uid 10001 --gid profitpeek --home-dir /data --shell /usr/sbin/nologin profitpeek \
 && install --directory --owner=profitpeek --group=profitpeek --mode=0700 /data

WORKDIR /app

COPY requirements.txt ./
RUN pip install --require-hashes --requirement requirements.txt

COPY manage.py pyproject.toml ./
COPY alerts ./alerts
COPY connectors ./connectors
COPY dashboards ./dashboards
COPY ledger ./ledger
COPY profitpeek ./profitpeek
COPY static ./static
COPY templates ./templates

# The secrets are made for this one command and forgotten.
RUN SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(48))')" \
    FIELD_KEYS="$(python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())')" \
    ALLOWED_HOSTS=build.invalid SITE_URL=https://build.invalid DATABASE_URL=postgresql:///build \
    python manage.py collectstatic --noinput \
 && python -m compileall -q alerts connectors dashboards ledger profitpeek

USER profitpeek
VOLUME /data
EXPOSE 8000

# The web server's own check; compose.yaml turns it off for the worker, which /readyz judges by finished jobs.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=4)"]

CMD ["gunicorn", "--config", "python:profitpeek.web_server", "profitpeek.wsgi:application"]
