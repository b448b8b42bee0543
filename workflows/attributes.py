"""The search attributes of a case: what the Temporal UI filters by. Ids only, nothing from the document."""

from temporalio.common import SearchAttributeKey

PROCESS = SearchAttributeKey.for_keyword("CaseworkProcess")
STAGE = SearchAttributeKey.for_keyword("CaseworkStage")
STATUS = SearchAttributeKey.for_keyword("CaseworkStatus")
APPROVERS = SearchAttributeKey.for_keyword_list("CaseworkApprovers")
DUE = SearchAttributeKey.for_datetime("CaseworkDue")

ALL = (PROCESS, STAGE, STATUS, APPROVERS, DUE)
