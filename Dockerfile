# The grader in a container. With an NVIDIA card: --build-arg TORCH=cu126, and `docker run --gpus all`.
#
#   docker build -t slm-course .
#   docker run --rm -v "$PWD:/course" \
#     --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined \
#     slm-course grade
#
# The three options let student code be sealed off in namespaces of its own inside the container; nothing is privileged.
FROM python:3.12-slim
ARG TORCH=cpu
WORKDIR /opt/slm-course
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY grading_utils ./grading_utils
RUN pip install --no-cache-dir uv \
 && uv pip install --system --no-cache --torch-backend "$TORCH" --constraint constraints.txt torch \
 && uv pip install --system --no-cache --constraint constraints.txt ".[grade]"
WORKDIR /course
ENTRYPOINT ["grading-utils"]
