CREATE TABLE "tcp_dashboard"."coverage" (
	"writer" smallint,
	"instrument_id" integer,
	"data_type" text,
	"first" numeric,
	"last" numeric NOT NULL,
	"status" text NOT NULL,
	"evidence" text NOT NULL,
	"from_time" timestamp with time zone NOT NULL,
	"to_time" timestamp with time zone NOT NULL,
	"actual" bigint NOT NULL,
	"cause" text,
	"gap" numeric,
	"gap_found_at" timestamp with time zone,
	"updated_at" timestamp with time zone NOT NULL,
	CONSTRAINT "coverage_pkey" PRIMARY KEY("writer","instrument_id","data_type","first")
);
--> statement-breakpoint
CREATE TABLE "tcp_dashboard"."refused_row" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "tcp_dashboard"."refused_row_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"at" timestamp with time zone NOT NULL,
	"what" text NOT NULL,
	"reason" text NOT NULL,
	"row" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "tcp_dashboard"."writer" ADD COLUMN "owner" text;--> statement-breakpoint
ALTER TABLE "tcp_dashboard"."instrument" DROP COLUMN "packed";--> statement-breakpoint
CREATE INDEX "coverage_gap" ON "tcp_dashboard"."coverage" ("instrument_id","data_type","gap") WHERE gap is not null;
--> statement-breakpoint
ALTER TABLE "tcp_dashboard"."coverage" SET (fillfactor = 50);
--> statement-breakpoint
CREATE FUNCTION "tcp_dashboard"."coverage_apart"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF new.last < new.first THEN
		RAISE EXCEPTION 'a stretch of coverage ends before it begins: % to %', new.first, new.last USING errcode = '23514';
	END IF;
	IF (SELECT c.last FROM tcp_dashboard.coverage c
			WHERE c.writer = new.writer AND c.instrument_id = new.instrument_id AND c.data_type = new.data_type AND c.first < new.first
			ORDER BY c.first DESC LIMIT 1) >= new.first
		OR (SELECT c.first FROM tcp_dashboard.coverage c
			WHERE c.writer = new.writer AND c.instrument_id = new.instrument_id AND c.data_type = new.data_type AND c.first > new.first
			ORDER BY c.first LIMIT 1) <= new.last THEN
		RAISE EXCEPTION 'stretches of coverage overlap at % to %', new.first, new.last USING errcode = '23P01';
	END IF;
	RETURN new;
END $$;
--> statement-breakpoint
CREATE TRIGGER "coverage_apart" BEFORE INSERT OR UPDATE OF first, last ON "tcp_dashboard"."coverage"
	FOR EACH ROW EXECUTE FUNCTION "tcp_dashboard"."coverage_apart"();
