# Everything here runs on python3 (3.11 or later) alone; the toolchain installs the rest into
# this folder. `make up` and `make test` are all that most days need.
PYTHON ?= python3

# What a person may type after `make`. Each counts only when it was typed here (WSL exports NAME, and
# many shells REGION), and reaches Python in the environment, letter for letter: neither a shell nor
# make itself expands it. toolchain/make_variables.py reads them.
override VARIABLES := ACCOUNT CONFIRM COUNT ID JSON KEEP KIND MINUTES MS NAME PLAN RATE REGION RUNS SEED SHELL_KIND SINCE TESTS USERS VERSION WHERE WITHOUT
$(foreach name,$(VARIABLES),$(if $(filter command,$(origin $(name))),\
	$(eval unexport $(name))$(eval export TYPED_$(name) := $$(value $(name))),\
	$(eval unexport TYPED_$(name))))

RUN = command -v $(PYTHON) >/dev/null || { \
	echo "This project needs Python 3.11 or later, and there is no $(PYTHON)." >&2; exit 1; }; \
	exec $(PYTHON) -m toolchain
TOOLCHAIN = @$(RUN)

.DEFAULT_GOAL := help
.PHONY: help up stop start down plan apply status dashboard fault heal takeover failback pause-writes resume-writes rollback releases drill drills drill-all drill-report load trace doctor drift env unit mutants test alarms bench e2e package install lock fmt check contract vulnerabilities

help: ## what can be done here
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## /\1\t/p' Makefile | expand -t 15

up: ## install, start the embedded AWS, deploy both Regions, say how to use them
	$(TOOLCHAIN) up

stop: ## stop the embedded AWS; its state is kept
	$(TOOLCHAIN) local stop

start: ## start it again where it was: [WITHOUT=items], what can't be read and may be begun without
	$(TOOLCHAIN) local start

down: ## destroy everything in the embedded AWS, and remove its files
	$(TOOLCHAIN) down

plan: ## what an apply of ACCOUNT would change, as a page and under a name: [ACCOUNT=] [SINCE=origin/main] [KEEP=1]
	$(TOOLCHAIN) plan

apply: ## apply the plan of that name: ACCOUNT= PLAN=; without one each unit is planned and applied in its turn
	$(TOOLCHAIN) apply

status: ## what runs, which Region answers, which versions
	$(TOOLCHAIN) local status

dashboard: ## the deployed dashboards and alarms of ACCOUNT as pages on this machine
	$(TOOLCHAIN) dashboards

fault: ## break a Region of the embedded AWS: REGION= KIND=refuse|hang|error|slow|partition|table|lost [MS=]
	$(TOOLCHAIN) local fault

heal: ## end the fault: [REGION=], or every one
	$(TOOLCHAIN) local heal

takeover: ## make the standby Region of ACCOUNT serve, and watch users move
	$(TOOLCHAIN) drills takeover

failback: ## let the primary Region of ACCOUNT serve again, and watch
	$(TOOLCHAIN) drills failback

pause-writes: ## let no Region of ACCOUNT write, for a restore or a bad release; reads go on
	$(TOOLCHAIN) drills pause-writes

resume-writes: ## let the Regions of ACCOUNT write again
	$(TOOLCHAIN) drills resume-writes

rollback: ## let the version before serve again, in seconds, without Terraform: [REGION=] [VERSION=] [ACCOUNT=]
	$(TOOLCHAIN) releases rollback

releases: ## what serves where since when, and what was rolled back and why: [ACCOUNT=]
	$(TOOLCHAIN) releases list

drill: ## rehearse a failover: [NAME=region-lost] [ACCOUNT=]; a report with a verdict
	$(TOOLCHAIN) drills run

drills: ## every experiment, and what it proves
	$(TOOLCHAIN) drills list

drill-all: ## every experiment that ACCOUNT can have, in turn
	$(TOOLCHAIN) drills all

drill-report: ## the last report of ACCOUNT, in short
	$(TOOLCHAIN) drills report

load: ## users of the app on ACCOUNT, held against its objectives: [USERS=20] [RATE=5, requests a second] [MINUTES=1]
	$(TOOLCHAIN) load

trace: ## follow one request through every layer: ID=<any id of its answer's headers> [MINUTES=] [ACCOUNT=]
	$(TOOLCHAIN) tracing

doctor: ## is ACCOUNT ready for an apply, and well? Reads alone: [ACCOUNT=] [JSON=1]
	$(TOOLCHAIN) doctor

drift: ## is what is deployed in ACCOUNT still what is written? Plans, never applies: [ACCOUNT=] [JSON=1]
	$(TOOLCHAIN) drift

# What a shell reads as it fails: `eval` of nothing would be a success.
env: ## print exports for a shell: eval "$(make -s env)"; fish: make -s env SHELL_KIND=fish | source
	@($(RUN) env) || { echo false; exit 1; }

unit: ## the tests that need no deployment, Terraform or Terragrunt, in a minute: [TESTS="tests/unit -k cursor"]
	$(TOOLCHAIN) unit

mutants: ## small faults put into copies, to see which no test notices: [WHERE=drills|lambda|local|modules] [COUNT=] [SEED=]
	$(TOOLCHAIN) mutants

test: ## every check and test, on the embedded AWS: [TESTS=]; 20 to 25 minutes
	$(TOOLCHAIN) test

alarms: ## every alarm that pages, set off and waited for to go back: about 40 minutes
	$(TOOLCHAIN) alarms

bench: ## cold start, warm requests and size beside FastAPI and others, with budgets: [RUNS=9] [JSON=1]
	$(TOOLCHAIN) bench

e2e: ## the end-to-end suite against ACCOUNT (local, dev, prod)
	$(TOOLCHAIN) e2e

package: ## build the Lambda package
	$(TOOLCHAIN) package

install: ## install the pinned tools
	$(TOOLCHAIN) install

lock: ## renew the locks from pyproject.toml and each requirements.in
	$(TOOLCHAIN) lock

check: ## linters, types, formats, workflows, policies, and that the API keeps what it has released
	$(TOOLCHAIN) check

contract: ## after a release: what lambda/openapi.yaml promises is what the next one may not break
	$(TOOLCHAIN) contract

vulnerabilities: ## known vulnerabilities of the locked Python packages and the Go tools, where the advisories can be reached
	$(TOOLCHAIN) vulnerabilities

fmt: ## put formatting right
	$(TOOLCHAIN) fmt
