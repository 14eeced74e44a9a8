CREATE TABLE "tcp_dashboard"."audit_entry" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "tcp_dashboard"."audit_entry_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"log" text NOT NULL,
	"number" bigint NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"principal" text NOT NULL,
	"principal_kind" text NOT NULL,
	"action" text NOT NULL,
	"target" text,
	"reason" text,
	"outcome" text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX "audit_entry_log" ON "tcp_dashboard"."audit_entry" ("log","number");--> statement-breakpoint
CREATE INDEX "audit_entry_at" ON "tcp_dashboard"."audit_entry" ("at","id");