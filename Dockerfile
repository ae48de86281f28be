# The production processes in one container: web, gateway, worker and beat under `manage.py serve`.
FROM python:3.11-slim-bookworm
WORKDIR /rollcall
COPY requirements-run.lock .
RUN pip install --no-cache-dir --require-hashes -r requirements-run.lock
COPY . .
# The user below cannot write, so each start would compile.
RUN python -m compileall -q .
# All files are written to /data.
RUN useradd --system rollcall && install -d -o rollcall /data
USER rollcall
ENV DATA_DIR=/data HOST=0.0.0.0 PORT=8000
VOLUME /data
EXPOSE 8000 8001
CMD ["python", "manage.py", "serve", "--migrate"]
