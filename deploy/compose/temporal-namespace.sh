#!/bin/sh
# The namespace, and what the Temporal UI can filter cases by. Run again it changes nothing.
set -eu
temporal operator namespace describe --namespace default >/dev/null 2>&1 ||
    temporal operator namespace create --namespace default --retention "$RETENTION"
known=$(temporal operator search-attribute list --namespace default)
while read -r name type; do
    case $known in
        *"$name"*) ;;
        *) temporal operator search-attribute create --namespace default --name "$name" --type "$type" ;;
    esac
done <<ATTRIBUTES
CaseworkProcess Keyword
CaseworkStage Keyword
CaseworkStatus Keyword
CaseworkApprovers KeywordList
CaseworkDue Datetime
ATTRIBUTES
