"""What Terraform can't say of an account: quotas, e-mail, delegation, protection, health.

Reads alone, by AWS's APIs and DNS, before a first apply and after. One file a concern, each with
its questions to AWS (`check`) and the rules that judge the answers (`judge_…`), which ask nobody.
"""
